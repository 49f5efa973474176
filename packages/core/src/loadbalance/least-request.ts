import type { BalancerFactory } from './load-balancer.js';
import { TwoChoices } from './two-choices.js';

/** Of two endpoints drawn by weight the one with fewer attempts under way, in relation to its weight. */
class LeastRequest extends TwoChoices {
  protected isCheaper(second: number, first: number): boolean {
    return this.#load(second) < this.#load(first);
  }

  #load(index: number): number {
    return (this.endpoints[index]?.inFlight ?? 0) / (this.heaviness[index] as number);
  }
}

export const leastRequest: BalancerFactory = (endpoints, ports) => new LeastRequest(endpoints, ports);

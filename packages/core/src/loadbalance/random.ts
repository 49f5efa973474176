import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { Draw } from './draw.js';
import type { BalancerFactory, LoadBalancer } from './load-balancer.js';

/** Any, by weight. */
class RandomChoice implements LoadBalancer {
  readonly #draw: Draw;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    { random }: Ports,
  ) {
    this.#draw = new Draw(endpoints, random);
  }

  pick(): Endpoint | undefined {
    return this.endpoints[this.#draw.next()];
  }

  shares(): readonly number[] {
    return Array.from(this.#draw.shares);
  }
}

export const randomChoice: BalancerFactory = (endpoints, ports) => new RandomChoice(endpoints, ports);

import type { Random } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { haveOneWeight } from './draw.js';
import type { BalancerFactory, LoadBalancer } from './load-balancer.js';
import { WeightedRoundRobin } from './weighted-round-robin.js';

/** One after another. The start is random, so that many callers that start together do not march in step. */
class RoundRobin implements LoadBalancer {
  #next: number;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    random: Random,
  ) {
    this.#next = Math.floor(random.next() * endpoints.length);
  }

  pick(): Endpoint | undefined {
    const { endpoints } = this;
    if (this.#next >= endpoints.length) this.#next = 0;
    return endpoints[this.#next++];
  }

  shares(): readonly number[] {
    return this.endpoints.map(() => 1 / this.endpoints.length);
  }
}

/** Round robin, by weight where weights differ. */
export const roundRobin: BalancerFactory = (endpoints, ports) =>
  haveOneWeight(endpoints) ? new RoundRobin(endpoints, ports.random) : new WeightedRoundRobin(endpoints, ports.random);

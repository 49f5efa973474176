import type { Random } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { BalancerFactory, LoadBalancer } from './load-balancer.js';

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
}

/**
 * Round robin by weight as earliest-deadline-first scheduling: each endpoint is due again after 1/weight, and the one that is due
 * first is taken from a binary heap. Exact for any weights, evenly interleaved, O(log n) per pick.
 */
class WeightedRoundRobin implements LoadBalancer {
  readonly #heap: Endpoint[];
  readonly #due: Float64Array;
  #order: Int32Array;

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#heap = [...endpoints];
    this.#due = new Float64Array(endpoints.length);
    this.#order = new Int32Array(endpoints.length);
    for (let i = 0; i < endpoints.length; i++) {
      this.#due[i] = random.next() / this.#weight(i);
      this.#order[i] = i;
    }
    for (let i = (endpoints.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  pick(): Endpoint | undefined {
    if (this.#heap.length === 0) return undefined;
    const first = this.#order[0] as number;
    this.#due[first] = (this.#due[first] as number) + 1 / this.#weight(first);
    this.#sink(0);
    return this.#heap[first];
  }

  #weight(index: number): number {
    return this.#heap[index]?.weight ?? 1;
  }

  #dueAt(position: number): number {
    return this.#due[this.#order[position] as number] as number;
  }

  #sink(position: number): void {
    const order = this.#order;
    const length = order.length;
    for (;;) {
      let least = 2 * position + 1;
      if (least >= length) return;
      if (least + 1 < length && this.#dueAt(least + 1) < this.#dueAt(least)) least++;
      if (this.#dueAt(position) <= this.#dueAt(least)) return;
      const held = order[position] as number;
      order[position] = order[least] as number;
      order[least] = held;
      position = least;
    }
  }
}

/** Round robin, by weight where weights differ. */
export const roundRobin: BalancerFactory = (endpoints, ports) => {
  const weight = endpoints[0]?.weight;
  return endpoints.every((endpoint) => endpoint.weight === weight)
    ? new RoundRobin(endpoints, ports.random)
    : new WeightedRoundRobin(endpoints, ports.random);
};

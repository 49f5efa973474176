import type { Random } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { LoadBalancer } from './load-balancer.js';

/** Largest interval, when that of the heaviest endpoint is 1: keeps the sums exact enough for 10^15 picks. */
const LONGEST_INTERVAL = 1e9;

/**
 * Round robin by weight as earliest-deadline-first scheduling: each endpoint is due again after a time that is inverse to its weight, and the one that is due
 * first is taken from a binary heap. Exact for any weights, evenly interleaved, O(log n) per pick.
 *
 * With n endpoints, weights w that add up to W, and p picks so far, an endpoint was named between p w/W - (1 + n w/W) and
 * p w/W + (1 + n w/W) times, for every p.
 */
export class WeightedRoundRobin implements LoadBalancer {
  readonly #endpoints: readonly Endpoint[];
  /** Virtual time between two picks of an endpoint; copied, since the endpoint outlives this balancer and its weight may change. */
  readonly #interval: Float64Array;
  /** Virtual time at which an endpoint is due. */
  readonly #due: Float64Array;
  /** Binary heap of indexes into the arrays above, the one that is due first on top. */
  readonly #heap: Int32Array;

  /** @param endpoints each with a finite weight above 0 */
  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#endpoints = endpoints;
    const heaviest = endpoints.reduce((most, { weight }) => Math.max(most, weight), 0);
    this.#interval = Float64Array.from(endpoints, ({ weight }) => Math.min(heaviest / weight, LONGEST_INTERVAL));
    // A random start, so that many callers that start together do not all name the heaviest endpoint first.
    this.#due = this.#interval.map((interval) => random.next() * interval);
    this.#heap = Int32Array.from(endpoints.keys());
    for (let i = (endpoints.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  pick(): Endpoint | undefined {
    if (this.#heap.length === 0) return undefined;
    const first = this.#heap[0] as number;
    this.#due[first]! += this.#interval[first] as number;
    this.#sink(0);
    return this.#endpoints[first];
  }

  shares(): readonly number[] {
    const rates = this.#interval.map((interval) => 1 / interval);
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    return Array.from(rates, (rate) => rate / total);
  }

  #dueAt(position: number): number {
    return this.#due[this.#heap[position] as number] as number;
  }

  #sink(position: number): void {
    const heap = this.#heap;
    const { length } = heap;
    for (;;) {
      let least = 2 * position + 1;
      if (least >= length) return;
      if (least + 1 < length && this.#dueAt(least + 1) < this.#dueAt(least)) least++;
      if (this.#dueAt(position) <= this.#dueAt(least)) return;
      const held = heap[position] as number;
      heap[position] = heap[least] as number;
      heap[least] = held;
      position = least;
    }
  }
}

import type { Ports, Random } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { Draw } from './draw.js';
import type { LoadBalancer } from './load-balancer.js';

/** Draws for a second choice that differs from the first, before its neighbour is taken: one heavy endpoint is drawn again and again. */
const MAX_DRAWS = 4;

/**
 * Draws two endpoints by weight and takes the one that costs less (M. Mitzenmacher, "The power of two choices in randomized load
 * balancing", 1996): nearly as even as looking at all, without all callers running to the same best one. The first one drawn is taken
 * when both cost the same, so that weights are kept exactly while there is nothing to choose.
 */
export abstract class TwoChoices implements LoadBalancer {
  /** Weight in multiples of the average, so that costs of all sets of endpoints have one scale. */
  protected readonly heaviness: Float64Array;
  readonly #draw: Draw;
  readonly #random: Random;

  constructor(
    protected readonly endpoints: readonly Endpoint[],
    ports: Ports,
  ) {
    this.#random = ports.random;
    this.#draw = new Draw(endpoints, ports.random);
    this.heaviness = Float64Array.from(this.#draw.shares, (share) => share * endpoints.length);
  }

  /** True when the endpoint at index `second` costs less than the one at `first`. */
  protected abstract isCheaper(second: number, first: number): boolean;

  /** Prepares for {@link isCheaper}; called once per pick. */
  protected prepare(): void {}

  pick(): Endpoint | undefined {
    const { endpoints } = this;
    if (endpoints.length < 2) return endpoints[0];
    const first = this.#draw.next();
    const second = this.#differing(first);
    this.prepare();
    return endpoints[this.isCheaper(second, first) ? second : first];
  }

  /**
   * Each pair of endpoints counts with the probability that it is drawn. Endpoints are put in the order of their cost, so that each
   * one loses to those before it and wins against those behind it, which sums from the end tell at once.
   */
  shares(): readonly number[] {
    const { shares } = this.#draw;
    const { length } = this.endpoints;
    if (length < 2) return Array.from(shares);
    this.prepare();
    const order = Array.from({ length }, (_, index) => index);
    order.sort((a, b) => (this.isCheaper(a, b) ? -1 : this.isCheaper(b, a) ? 1 : 0));
    const result = new Array<number>(length).fill(0);
    let dearer = 0;
    let dearerAsFirst = 0;
    for (let end = length; end > 0;) {
      let begin = end - 1;
      while (begin > 0 && !this.isCheaper(order[begin - 1] as number, order[end - 1] as number)) begin--;
      const alike = order.slice(begin, end);
      const sum = alike.reduce((total, index) => total + (shares[index] as number), 0);
      for (const index of alike) {
        const share = shares[index] as number;
        // Drawn first, then another that does not cost less; or drawn second, after one that costs more.
        result[index] = (share * (dearer + sum - share)) / (1 - share) + share * dearerAsFirst;
      }
      dearer += sum;
      dearerAsFirst += alike.reduce(
        (total, index) => total + (shares[index] as number) / (1 - (shares[index] as number)),
        0,
      );
      end = begin;
    }
    return result;
  }

  #differing(first: number): number {
    const { length } = this.endpoints;
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      const second = this.#draw.next();
      if (second !== first) return second;
    }
    return (first + 1 + Math.floor(this.#random.next() * (length - 1))) % length;
  }
}

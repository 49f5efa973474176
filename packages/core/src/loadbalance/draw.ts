import type { Random } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { AliasTable } from './alias-table.js';

/** Draws endpoints by their weight; where all weigh the same, without a table. */
export class Draw {
  /** Share of each endpoint; they add up to 1. */
  readonly shares: ArrayLike<number>;
  readonly #table: AliasTable | undefined;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    private readonly random: Random,
  ) {
    const { length } = endpoints;
    if (haveOneWeight(endpoints)) this.shares = new Float64Array(length).fill(1 / length);
    else {
      this.#table = new AliasTable(endpoints.map(({ weight }) => weight));
      this.shares = this.#table.shares;
    }
  }

  /** An index into the endpoints; 0 when there are none. */
  next(): number {
    return this.#table === undefined
      ? Math.floor(this.random.next() * this.endpoints.length)
      : this.#table.draw(this.random);
  }
}

export function haveOneWeight(endpoints: readonly Endpoint[]): boolean {
  const weight = endpoints[0]?.weight;
  return endpoints.every((endpoint) => endpoint.weight === weight);
}

import type { Random } from '../ports/ports.js';

/**
 * Draws an index with a given probability in constant time: each column of the table holds the rest of one index and one other that
 * fills it up (A. J. Walker 1977; built in linear time as by M. D. Vose 1991).
 */
export class AliasTable {
  /** Share of each index; they add up to 1. */
  readonly shares: Float64Array;
  readonly #limit: Float64Array;
  readonly #other: Uint32Array;

  /** @param weights finite and above 0, at least one */
  constructor(weights: ArrayLike<number>) {
    const { length } = weights;
    this.shares = normalized(weights);
    this.#limit = new Float64Array(length);
    this.#other = new Uint32Array(length);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < length; i++) {
      this.#limit[i] = (this.shares[i] as number) * length;
      (this.#limit[i]! < 1 ? small : large).push(i);
    }
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop() as number;
      const rich = large.pop() as number;
      this.#other[poor] = rich;
      this.#limit[rich]! -= 1 - (this.#limit[poor] as number);
      (this.#limit[rich]! < 1 ? small : large).push(rich);
    }
    // What is left over is full but for rounding.
    for (const i of small) this.#limit[i] = 1;
    for (const i of large) this.#limit[i] = 1;
  }

  draw(random: Random): number {
    const at = random.next() * this.#limit.length;
    const column = Math.floor(at);
    return at - column < (this.#limit[column] as number) ? column : (this.#other[column] as number);
  }
}

/** Weights as shares of 1. Divided by the heaviest first: their sum may be more than a number can hold. */
function normalized(weights: ArrayLike<number>): Float64Array {
  const shares = Float64Array.from(weights);
  const heaviest = shares.reduce((most, weight) => Math.max(most, weight), 0);
  const total = shares.reduce((sum, weight) => sum + weight / heaviest, 0);
  return shares.map((weight) => weight / heaviest / total);
}

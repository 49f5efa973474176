/**
 * Hands out turns in proportion to whole weights: smooth, exact and without chance. After any number n of turns, each one has got
 * `n * weight / sum` turns, give or take less than one. Picking costs O(1).
 *
 * The order is fixed ahead by the algorithm of Tijdeman for the chairman assignment problem (Discrete Mathematics 32, 1980), which
 * keeps the deviation within 1 - 1/(2k-2) for k weights.
 */
export class WeightedTurns {
  readonly #turns: Uint16Array;
  #next: number;

  /**
   * @param weights whole numbers, not all 0
   * @param position where to begin: {@link position} of a predecessor with the same weights
   */
  constructor(weights: readonly number[], position = 0) {
    this.#turns = interleave(weights);
    this.#next = position % this.#turns.length;
  }

  /** Index of the weight whose turn it is. */
  next(): number {
    const turn = this.#turns[this.#next] as number;
    this.#next = this.#next + 1 === this.#turns.length ? 0 : this.#next + 1;
    return turn;
  }

  /** Whose turn it would be; nothing changes. */
  peek(): number {
    return this.#turns[this.#next] as number;
  }

  get position(): number {
    return this.#next;
  }
}

function interleave(weights: readonly number[]): Uint16Array {
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  const shares = weights.map((weight) => weight / divisor);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const turns = new Uint16Array(total);
  const given = shares.map(() => 0);
  const slack = weights.length > 1 ? 1 / (2 * weights.length - 2) : 0;
  for (let n = 1; n <= total; n++) {
    const chosen = mostUrgent(shares, given, n / total, slack);
    turns[n - 1] = chosen;
    (given[chosen] as number)++;
  }
  return turns;
}

/** Of those that may have a turn without getting ahead too far, the one that would be behind too far first. */
function mostUrgent(shares: readonly number[], given: readonly number[], progress: number, slack: number): number {
  let chosen = -1;
  let earliest = Infinity;
  for (const [index, share] of shares.entries()) {
    const done = given[index] as number;
    if (share === 0 || share * progress - done < slack - ROUNDING) continue;
    const deadline = (done + 1 - slack) / share;
    if (deadline < earliest) {
      earliest = deadline;
      chosen = index;
    }
  }
  // Rounding must not leave a turn to nobody.
  return chosen >= 0 ? chosen : shares.findIndex((share, index) => share > (given[index] as number));
}

/** Weights and counts are whole numbers, so anything smaller than this is an error of floating point. */
const ROUNDING = 1e-9;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

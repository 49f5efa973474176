/**
 * Different reasons that are counted apart; the rest is counted as `other`. Reasons are constants of a program, so the cap only bites
 * when somebody lets the text of a request into one.
 */
export const MAX_REASONS = 40;

/** Counts by reason, with a bound on the number of reasons. Iterates over `[reason, count]`. */
export class ReasonCounts implements Iterable<readonly [reason: string, count: number]> {
  readonly #counts = new Map<string, number>();

  /** @param reason a short constant, such as `duplicate-content-length` */
  count(reason: string): void {
    const counted = this.#counts.has(reason) || this.#counts.size < MAX_REASONS ? reason : 'other';
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  [Symbol.iterator](): Iterator<readonly [reason: string, count: number]> {
    return this.#counts.entries();
  }
}

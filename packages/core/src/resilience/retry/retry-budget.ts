/** How much of the traffic of a service may be repetitions. */
export interface RetryBudgetOptions {
  /** Share of the calls in the window, in percent. */
  readonly percent: number;
  /** Repetitions per second that are always allowed, on average over the window. */
  readonly minPerSecond: number;
}

/** Length of the window in seconds, and its slots of one second: long enough that a pause of a second does not empty it. */
export const BUDGET_WINDOW_SECONDS = 10;

const SLOT_MS = 1000;

/**
 * Bounds the repetitions of calls to one service by the calls of the last ten seconds. A repetition is counted when it is decided, so
 * that those which still wait for their turn are counted, too. All times are monotonic milliseconds.
 */
export class RetryBudget {
  readonly #requests = new Float64Array(BUDGET_WINDOW_SECONDS);
  readonly #retries = new Float64Array(BUDGET_WINDOW_SECONDS);
  #requestSum = 0;
  #retrySum = 0;
  #second = 0;

  constructor(public options: RetryBudgetOptions) {}

  /** A call began. */
  request(now: number): void {
    this.#advance(now);
    this.#requests[this.#second % BUDGET_WINDOW_SECONDS]!++;
    this.#requestSum++;
  }

  /** Takes one repetition out of the budget. @returns false when there is none left */
  take(now: number): boolean {
    if (this.available(now) < 1) return false;
    this.#retries[this.#second % BUDGET_WINDOW_SECONDS]!++;
    this.#retrySum++;
    return true;
  }

  /** Repetitions that may be taken now; a fraction when the share of the calls is none that is whole. */
  available(now: number): number {
    this.#advance(now);
    return Math.max(0, this.allowance - this.#retrySum);
  }

  /** Repetitions that the window allows, those included that were taken. */
  get allowance(): number {
    const { percent, minPerSecond } = this.options;
    return Math.max(minPerSecond * BUDGET_WINDOW_SECONDS, (percent / 100) * this.#requestSum);
  }

  get taken(): number {
    return this.#retrySum;
  }

  /** Empties the slots between the last second and this one. A call that began earlier counts for the present second. */
  #advance(now: number): void {
    const second = Math.floor(now / SLOT_MS);
    if (second <= this.#second) return;
    const steps = Math.min(second - this.#second, BUDGET_WINDOW_SECONDS);
    for (let step = 1; step <= steps; step++) {
      const slot = (this.#second + step) % BUDGET_WINDOW_SECONDS;
      this.#requestSum -= this.#requests[slot]!;
      this.#retrySum -= this.#retries[slot]!;
      this.#requests[slot] = 0;
      this.#retries[slot] = 0;
    }
    this.#second = second;
  }
}

/** Somebody who opens windows again when there is room. */
export interface BudgetWaiter {
  reopen(): void;
}

/** Bytes of all HTTP/2 calls of the process that wait here: of requests for instances, and of answers for clients. */
export class BufferBudget {
  /** Bytes that wait now. */
  bytes = 0;
  readonly #maxBytes: () => number;
  readonly #waiting = new Set<BudgetWaiter>();

  /** @param maxBytes the bound as it is configured now */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** True when no window is to be opened and no call to be begun. */
  get isFull(): boolean {
    return this.bytes >= this.#maxBytes();
  }

  /** So many bytes more wait, or fewer. */
  add(bytes: number): void {
    this.bytes += bytes;
    if (bytes >= 0 || this.#waiting.size === 0 || this.isFull) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.reopen();
  }

  /** Calls back once, when there is room. */
  wait(waiter: BudgetWaiter): void {
    this.#waiting.add(waiter);
  }

  leave(waiter: BudgetWaiter): void {
    this.#waiting.delete(waiter);
  }
}

import type { TurnTask } from '../frames/output-pool.js';

/** From this part of the bound on the process is tight, and as much is left to it when calls had to be given up. */
const TIGHT_PART = 0.75;

/** Up to this part bodies that have been sent are kept for further attempts: a comfort, which must not make the process tight. */
const KEPT_PART = 0.5;

/** Somebody who opens windows again when there is room. */
export interface BudgetWaiter {
  reopen(): void;
}

/** Somebody for whom bytes wait. */
export interface BudgetHolder {
  /** Bytes that wait for it. */
  readonly waitingBytes: number;
  /** Gives up the call for which most waits, whose bytes are taken off the budget. */
  giveUpHeaviest(): void;
}

/**
 * Bytes of all HTTP/2 calls of the process that wait here: of requests for instances, of answers for clients, and of
 * requests that are kept for further attempts. Windows that are open cannot be taken back, so to open no further ones is not enough: a few clients that read nothing could fill the bound, or go far
 * beyond it, and nobody else would be served for as long as they like. Those for whom most waits lose calls instead.
 */
export class BufferBudget implements TurnTask {
  /** Bytes that wait now. */
  bytes = 0;
  readonly #maxBytes: () => number;
  readonly #atTurnEnd: (task: TurnTask) => void;
  readonly #waiting = new Set<BudgetWaiter>();
  readonly #holders = new Set<BudgetHolder>();
  #isRelieving = false;

  /**
   * @param maxBytes the bound as it is configured now
   * @param atTurnEnd has the task told once, when all that was read in this turn has been looked at
   */
  constructor(maxBytes: () => number, atTurnEnd: (task: TurnTask) => void) {
    this.#maxBytes = maxBytes;
    this.#atTurnEnd = atTurnEnd;
  }

  /** True when no call is to be begun. */
  get isFull(): boolean {
    return this.bytes >= this.#maxBytes();
  }

  /** True when windows are to be opened only for those that keep up. */
  get isTight(): boolean {
    return this.bytes >= this.#maxBytes() * TIGHT_PART;
  }

  /** True while bodies that have been sent may be kept. */
  get mayKeep(): boolean {
    return this.bytes < this.#maxBytes() * KEPT_PART;
  }

  /** So many bytes more wait, or fewer. */
  add(bytes: number): void {
    this.bytes += bytes;
    if (bytes > 0) {
      if (this.#isRelieving || !this.isFull) return;
      this.#isRelieving = true;
      // Not now: the call for which these bytes came is being worked on.
      this.#atTurnEnd(this);
    } else if (this.#waiting.size > 0 && !this.isTight) {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const waiter of waiting) waiter.reopen();
    }
  }

  /** Something may wait for it from now on. */
  hold(holder: BudgetHolder): void {
    this.#holders.add(holder);
  }

  /** Nothing waits for it any more. */
  release(holder: BudgetHolder): void {
    this.#holders.delete(holder);
  }

  /** Too much waits: calls are given up until there is room again. */
  onTurnEnd(): void {
    if (this.isFull) {
      while (this.isTight) {
        const before = this.bytes;
        this.#heaviest()?.giveUpHeaviest();
        if (this.bytes >= before) break;
      }
    }
    this.#isRelieving = false;
  }

  /** Calls back once, when there is room. */
  wait(waiter: BudgetWaiter): void {
    this.#waiting.add(waiter);
  }

  leave(waiter: BudgetWaiter): void {
    this.#waiting.delete(waiter);
  }

  #heaviest(): BudgetHolder | undefined {
    let heaviest: BudgetHolder | undefined;
    for (const holder of this.#holders) {
      if (heaviest === undefined || holder.waitingBytes > heaviest.waitingBytes) heaviest = holder;
    }
    return heaviest;
  }
}

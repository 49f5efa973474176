import type { TimerHandle, Timers } from '@mesher/core';

/** Timers that know how many with one delay are waiting: the bounds of requests under way, if nothing else takes as long. */
export class CountingTimers implements Timers {
  #waiting = 0;
  #most = 0;

  constructor(
    private readonly timers: Timers,
    private readonly countedMs: number,
  ) {}

  get waiting(): number {
    return this.#waiting;
  }

  /** The most that ever waited at once. */
  get most(): number {
    return this.#most;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    if (delayMs !== this.countedMs) return this.timers.after(delayMs, callback);
    this.#waiting++;
    this.#most = Math.max(this.#most, this.#waiting);
    let isWaiting = true;
    const over = (): void => {
      if (isWaiting) this.#waiting--;
      isWaiting = false;
    };
    const timer = this.timers.after(delayMs, () => {
      over();
      callback();
    });
    return {
      cancel: () => {
        over();
        timer.cancel();
      },
    };
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    return this.timers.every(periodMs, callback);
  }
}

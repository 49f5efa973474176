/**
 * The only doors to time and chance. Everything else asks these, so a test can hold the clock still
 * and a simulation can be repeated from its seed. Lint forbids `Date.now`, `Math.random` and the
 * timer globals outside this folder.
 */
export interface Clock {
  /** Monotonic time in milliseconds with a fraction; only differences mean something. */
  now(): number;
  /** Wall-clock time in milliseconds since 1970-01-01 UTC; may jump. */
  wallTime(): number;
}

export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** A running timer. */
export interface TimerHandle {
  /** Stops the timer; harmless when it has fired or was stopped before. */
  cancel(): void;
}

export interface Timers {
  /** Calls `callback` once after `delayMs` milliseconds. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): TimerHandle;
  /** Calls `callback` every `periodMs` milliseconds. The timer never keeps the process alive. */
  every(periodMs: number, callback: () => void): TimerHandle;
}

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
}

/** The two clocks at one moment, in milliseconds. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** How often a registration without a sign of life is looked at: as often as its owner beats when it is alive. */
const RECHECKS_PER_LEASE = 3;

/**
 * Is the owner of a registration alive? The file's mtime is the sign of life, but only its *changes* are trusted: they are timed
 * by the reader's own monotonic clock, so neither a skewed clock of another machine nor a jump of the wall clock ends or
 * lengthens a lease. The mtime's value counts at the first look only, when there is nothing to compare it with; a file
 * that looks old then is believed as soon as it is seen to change.
 */
export class LeaseWatch {
  #mtimeMs: number;
  /** Monotonic time of the last sign of life, as well as it is known. */
  #beatAt: number;
  #observedAt: number;
  #alive: boolean;

  constructor(
    mtimeMs: number,
    public leaseMs: number,
    now: Moment,
  ) {
    // A time in the future is clock skew: then the file is as good as just written, and is expected to change in a lease.
    const age = Math.max(now.wall - mtimeMs, 0);
    this.#mtimeMs = mtimeMs;
    this.#beatAt = now.monotonic - age;
    this.#observedAt = now.monotonic;
    this.#alive = age < leaseMs;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Monotonic time at which the registration ends if no sign of life is seen. */
  get endsAt(): number {
    return this.#beatAt + this.leaseMs;
  }

  /** Monotonic time of the next look. */
  get checkAt(): number {
    return this.#alive ? this.endsAt : this.#observedAt + this.leaseMs / RECHECKS_PER_LEASE;
  }

  /** A look at the file found this mtime. */
  observe(mtimeMs: number, now: Moment): void {
    if (mtimeMs !== this.#mtimeMs) {
      // The beat came after the last look; when the clocks agree, the mtime says when.
      const age = now.wall - mtimeMs;
      const elapsed = now.monotonic - this.#observedAt;
      this.#beatAt = now.monotonic - (age >= 0 && age <= elapsed ? age : 0);
      this.#mtimeMs = mtimeMs;
    }
    this.#observedAt = now.monotonic;
    this.#alive = now.monotonic < this.endsAt;
  }

  /**
   * The reader itself was held up (a stalled event loop, a file system that hung), and the owner may have been held up by the same
   * cause: a registration that was alive gets a whole lease from now.
   */
  forgive(now: Moment): void {
    if (this.#alive) this.#beatAt = Math.max(this.#beatAt, now.monotonic);
  }
}

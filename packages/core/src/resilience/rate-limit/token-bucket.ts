/** Parts of a call that a bucket may lack and still let it pass: what adding up fractions of milliseconds loses. */
const ROUNDING = 1e-9;

/**
 * A token bucket: it fills with `rate` tokens per second up to `burst`, and each call takes one. In any stretch of `t` seconds at most
 * `burst + rate * t` calls pass. It has no timer: what came in since is added when somebody asks.
 */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /**
   * A full bucket.
   * @param rate tokens per second; 0 or less lets nothing through
   * @param burst tokens that it holds, at least 1
   * @param now monotonic milliseconds
   */
  constructor(
    private rate: number,
    private burst: number,
    now: number,
  ) {
    this.#tokens = burst;
    this.#at = now;
  }

  /**
   * Takes one token if there is one.
   * @param now monotonic milliseconds; a time before that of an earlier question counts as that one, so it never fills twice
   */
  take(now: number): boolean {
    if (this.rate <= 0) return false;
    if (now > this.#at) this.#fill(now);
    if (this.#tokens < 1 - ROUNDING) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Tokens that are there, with fractions; changes nothing. */
  level(now: number): number {
    if (this.rate <= 0) return 0;
    const since = Math.max(0, now - this.#at);
    return Math.min(this.burst, this.#tokens + (since * this.rate) / 1000);
  }

  /** Milliseconds until `count` tokens are there; `Infinity` when there never will be. */
  waitFor(count: number, now: number): number {
    if (this.rate <= 0 || count > this.burst) return Infinity;
    return Math.max(0, ((count - this.level(now)) * 1000) / this.rate);
  }

  /** True when it is full: then it tells as much as a new one. */
  isFull(now: number): boolean {
    return this.level(now) >= this.burst - ROUNDING;
  }

  /** Takes over another rate and burst. A bucket that was half full is half full afterwards. */
  adjust(rate: number, burst: number, now: number): void {
    if (rate === this.rate && burst === this.burst) return;
    const share = this.rate <= 0 ? 1 : this.level(now) / this.burst;
    this.rate = rate;
    this.burst = burst;
    this.#tokens = share * burst;
    this.#at = Math.max(this.#at, now);
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#at) * this.rate) / 1000);
    this.#at = now;
  }
}

/** Calls that may come at once where a limit does not say: go-chassis's rule, a fifth of a second, or 10 when that is less than one. */
export function defaultBurst(rate: number): number {
  const fifth = Math.floor(rate / 5);
  return fifth >= 1 ? fifth : 10;
}

import type { Clock } from '../../ports/ports.js';
import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { LimitStore } from './rate-limit-store.js';
import type { SharedLimit } from './shared-limiter.js';
import type { TokenBucket } from './token-bucket.js';

/** What a limit says about a call. `closed`: it cannot be counted, and then nothing is to pass. */
export type LimitVerdict = 'pass' | 'reject' | 'closed';

/**
 * The local end of a shared limit. It keeps the store out of most calls in two ways. Tokens are fetched ahead, as many as this sidecar
 * used lately and no more than the limit gains in `leaseFor`; they are lost when they are not used by then. And once the store has
 * said that the limit is used up, and until when, that is known here. Calls that must wait for the store wait together: one question
 * is under way at a time, for all of them.
 */
export class SharedGate {
  #leased = 0;
  #leaseEnd = -Infinity;
  #emptyUntil = -Infinity;
  #asking = false;
  #askedAt = -Infinity;
  /** Calls that passed since {@link #askedAt}. */
  #used = 0;
  readonly #waiting: ((verdict: LimitVerdict) => void)[] = [];

  /** @param local decides while the store does not answer, with `onFailure: local` */
  constructor(
    private limit: SharedLimit,
    readonly store: LimitStore,
    private readonly local: TokenBucket,
    private readonly clock: Clock,
    private readonly metrics: PolicyMetrics,
  ) {}

  /** Takes over another rate; what the store said about the old one no longer holds. */
  adjust(limit: SharedLimit): void {
    if (limit.rate === this.limit.rate && limit.burst === this.limit.burst) return;
    this.limit = limit;
    this.#leased = 0;
    this.#emptyUntil = -Infinity;
  }

  /** @param now monotonic milliseconds */
  take(now: number): LimitVerdict | Promise<LimitVerdict> {
    const known = this.#known(now);
    if (known === 'pass') {
      this.#leased -= 1;
      this.#used += 1;
    }
    if (known !== undefined) return known;
    const { store } = this;
    if (!store.isUp || this.#waiting.length >= store.options.maxWaiting) return this.#withoutStore(now);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#asking) void this.#ask();
    });
  }

  /** What {@link take} would come to, as far as is known here, where a store that is up has a token; changes nothing. */
  preview(now: number): LimitVerdict {
    const known = this.#known(now);
    if (known !== undefined) return known;
    const { isUp, options } = this.store;
    if (isUp || options.onFailure === 'failOpen') return 'pass';
    if (options.onFailure === 'failClosed') return 'closed';
    return this.local.level(now) < 1 ? 'reject' : 'pass';
  }

  /** Tokens at hand without asking; changes nothing. */
  leased(now: number): number {
    return now < this.#leaseEnd ? this.#leased : 0;
  }

  /** Milliseconds until the store may have a token, as far as is known here. */
  waitFor(now: number): number {
    return Math.max(0, this.#emptyUntil - now);
  }

  /** Undefined when the store has to be asked. */
  #known(now: number): 'pass' | 'reject' | undefined {
    if (this.limit.rate <= 0) return 'reject';
    if (this.leased(now) >= 1) return 'pass';
    return now < this.#emptyUntil ? 'reject' : undefined;
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      do {
        const now = this.clock.now();
        const asked = Math.max(1, this.#waiting.length + this.#ahead(now));
        this.#askedAt = now;
        this.#used = 0;
        const { limit } = this;
        const { granted, retryAfterMs } = await this.store.take(limit, asked);
        // How long a limit that has changed meanwhile stays used up, the answer does not tell.
        this.#share(granted, asked, limit === this.limit ? retryAfterMs : 0);
      } while (this.#waiting.length > 0);
    } catch {
      // The store has logged it.
      const now = this.clock.now();
      for (const settle of this.#waiting.splice(0)) settle(this.#withoutStore(now));
    } finally {
      this.#asking = false;
    }
  }

  #share(granted: number, asked: number, retryAfterMs: number): void {
    const now = this.clock.now();
    const passing = this.#waiting.splice(0, granted);
    for (const settle of passing) settle('pass');
    this.#used += passing.length;
    this.#leased = granted - passing.length;
    this.#leaseEnd = now + this.store.options.leaseFor;
    if (granted >= asked) return;
    this.#emptyUntil = now + retryAfterMs;
    for (const settle of this.#waiting.splice(0)) settle('reject');
  }

  /** Tokens to fetch beyond those that calls wait for: what passes in `leaseFor` at the present pace. */
  #ahead(now: number): number {
    const { leaseFor } = this.store.options;
    if (leaseFor <= 0) return 0;
    const most = Math.min(this.limit.burst, (this.limit.rate * leaseFor) / 1000);
    // At most twice as many as were just used: a few calls at one moment are no pace.
    const pace = this.#used / Math.max(now - this.#askedAt, leaseFor / 2);
    return Math.floor(Math.min(most, pace * leaseFor));
  }

  #withoutStore(now: number): LimitVerdict {
    const { name, options } = this.store;
    this.metrics.counter('sharedLimiterWithout').add([name, options.onFailure]);
    if (options.onFailure === 'failOpen') return 'pass';
    if (options.onFailure === 'failClosed') return 'closed';
    return this.local.take(now) ? 'pass' : 'reject';
  }
}

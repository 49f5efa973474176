import type { BackoffKind } from '../../config/sections/retry.js';
import type { Random } from '../../ports/ports.js';
import type { BackoffRule } from './retry-rule.js';

/** Each wait of `exponential` is this much longer than the one before, as in go-chassis. */
const GROWTH = 1.5;
/** Share by which a wait of `exponential` may be longer or shorter, as in go-chassis. */
const SPREAD = 0.5;

/** Attempts after which waits no longer grow, so that the power stays a number that can be computed with. */
const MAX_GROWTHS = 64;

/** How long to wait before the next attempt. */
export class Backoff implements BackoffRule {
  readonly kind: BackoffKind;
  readonly minMs: number;
  readonly maxMs: number;

  constructor(
    rule: BackoffRule,
    /** Longest `retry-after` that is waited for, in milliseconds. */
    readonly maxRetryAfterMs: number,
  ) {
    this.kind = rule.kind;
    this.minMs = rule.minMs;
    this.maxMs = Math.max(rule.minMs, rule.maxMs);
  }

  /**
   * Milliseconds before a further attempt.
   * @param retry 1 before the second attempt of a call, 2 before the third
   * @returns exponential: within 50 % of minMs x 1.5^(retry-1), at most maxMs; jittered: from minMs to minMs x 2^retry, at most
   * maxMs; constant: minMs; zero: 0
   */
  delay(retry: number, random: Random): number {
    const { minMs, maxMs } = this;
    const growths = Math.min(retry, MAX_GROWTHS);
    switch (this.kind) {
      case 'zero':
        return 0;
      case 'constant':
        return minMs;
      case 'jittered':
        return minMs + random.next() * (Math.min(maxMs, minMs * 2 ** growths) - minMs);
      case 'exponential': {
        const middle = Math.min(maxMs, minMs * GROWTH ** (growths - 1));
        return Math.min(maxMs, middle * (1 - SPREAD + 2 * SPREAD * random.next()));
      }
    }
  }

  describe(): string {
    const { kind, minMs, maxMs } = this;
    if (kind === 'zero') return 'at once';
    return kind === 'constant' ? `after ${minMs} ms` : `${kind} backoff of ${minMs} to ${maxMs} ms`;
  }
}

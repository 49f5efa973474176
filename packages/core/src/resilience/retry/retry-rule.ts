import type { BackoffKind } from '../../config/sections/retry.js';

/** Waits before further attempts, in milliseconds. */
export interface BackoffRule {
  readonly kind: BackoffKind;
  readonly minMs: number;
  readonly maxMs: number;
}

/** What a route or a mark says about retries; what is left out is that of `cse.loadbalance`. */
export interface RetryRule {
  /** Most attempts of one call, the first included. */
  readonly maxAttempts?: number;
  /** How many attempts after the first may go to the instance that has failed. */
  readonly retryOnSame?: number;
  /** What is worth another attempt: names of conditions (`5xx`, `gateway-error`, `connect-failure`, ...) and statuses (`503`). */
  readonly retryOn?: readonly string[];
  /** Milliseconds that one attempt has until its answer begins. */
  readonly perTryTimeoutMs?: number;
  readonly backoff?: BackoffRule;
}

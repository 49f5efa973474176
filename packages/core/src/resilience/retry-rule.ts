/** What a route or a mark says about retries; what is left out is that of `cse.loadbalance`. */
export interface RetryRule {
  /** Most attempts of one call, the first included. */
  readonly maxAttempts?: number;
  /** What is worth another attempt: names of conditions (`5xx`, `gateway-error`, `connect-failure`, ...) and statuses (`503`). */
  readonly retryOn?: readonly string[];
  /** Milliseconds that one attempt has until its answer begins. */
  readonly perTryTimeoutMs?: number;
}

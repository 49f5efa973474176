import { ERRORS, Rejection } from '../errors.js';
import type { AttemptFailure, Invocation } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { DEFAULT_ATTEMPT_OPTIONS, type AttemptOptions } from './attempt-options.js';

/** Decides whether a failed attempt may be repeated without harm, and lets endpoints rest that cannot be reached. */
export class Attempts {
  constructor(
    private readonly ports: Ports,
    private readonly options: AttemptOptions = DEFAULT_ATTEMPT_OPTIONS,
  ) {}

  /**
   * @returns undefined when another attempt is safe, else the answer for the caller.
   * Safe is what was never sent, for any method; and what may have been executed, for idempotent methods, if the connection
   * ended before the first byte of an answer (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
   */
  mayRepeat(call: Invocation, failure: AttemptFailure): Rejection | undefined {
    const { retryable } = ERRORS[failure.code];
    const harmless = !failure.sent || (call.idempotent && failure.code === 'MESH_ERR_UPSTREAM_RESET');
    if (retryable !== 'no' && harmless && call.bodyReplayable && call.attempts < this.options.maxAttempts)
      return undefined;
    return this.lastWord(call, failure);
  }

  lastWord(call: Invocation, failure: AttemptFailure): Rejection {
    const attempts = call.attempts > 1 ? ` (${call.attempts} attempts)` : '';
    return new Rejection(failure.code, `${failure.message}${attempts}`);
  }

  /** An endpoint that refuses connections is passed over for a while, longer each time. */
  failed(endpoint: Endpoint, failure: AttemptFailure): void {
    if (failure.code !== 'MESH_ERR_CONNECT') return;
    const { minRest, maxRest } = this.options;
    const rest = Math.min(maxRest, minRest * 2 ** Math.min(endpoint.connectFailures++, 16));
    // Half of it at random, so that callers do not come back together.
    endpoint.restingUntil = this.ports.clock.now() + rest * (0.5 + this.ports.random.next() / 2);
  }

  reached(endpoint: Endpoint): void {
    if (endpoint.connectFailures === 0) return;
    endpoint.connectFailures = 0;
    endpoint.restingUntil = 0;
  }
}

import { ERRORS, Rejection, type ErrorCode } from '../errors.js';
import type { AttemptFailure, Invocation } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { DEFAULT_ATTEMPT_OPTIONS, type AttemptOptions } from './attempt-options.js';

/** Failures after which an endpoint rests: it cannot be reached, or says that it is going away. */
const TIRING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['MESH_ERR_CONNECT', 'MESH_ERR_DRAINING']);

/** Doublings after which a rest no longer grows, so that the power stays a number that can be computed with. */
const MAX_DOUBLINGS = 16;

/** Decides whether a failed attempt may be repeated without harm, and lets endpoints rest that cannot be reached. */
export class Attempts {
  constructor(
    private readonly ports: Ports,
    private readonly options: AttemptOptions = DEFAULT_ATTEMPT_OPTIONS,
  ) {}

  /**
   * Decides after `call.failedAttempts` attempts failed, the last one with `failure`.
   * @returns undefined when another attempt is safe, else the answer for the caller.
   * Safe is what was never sent, for any method; and what may have been executed, for idempotent methods (RFC 9110, 9.2.2;
   * RFC 9112, 9.3.1). In both cases all of the body must still be there.
   */
  mayRepeat(call: Invocation, failure: AttemptFailure): Rejection | undefined {
    const { retryable } = ERRORS[failure.code];
    const harmless = !failure.sent || (call.idempotent && retryable === 'maybe-executed');
    const isAllowed =
      retryable !== 'no' && harmless && call.bodyReplayable && call.failedAttempts < this.options.maxAttempts;
    return isAllowed ? undefined : this.lastWord(call, failure);
  }

  /** The answer for the caller when nothing more is tried. */
  lastWord(call: Invocation, failure: AttemptFailure): Rejection {
    const attempts = call.failedAttempts > 1 ? ` (${call.failedAttempts} attempts)` : '';
    return new Rejection(failure.code, `${failure.message}${attempts}`);
  }

  /** An endpoint that refuses connections is passed over for a while, longer each time. */
  failed(endpoint: Endpoint, failure: AttemptFailure): void {
    if (!TIRING.has(failure.code)) return;
    const now = this.ports.clock.now();
    // Calls that were under way when the rest began fail, too: all of them together are one failure.
    if (endpoint.restingUntil > now && !endpoint.probing) return;
    const { minRest, maxRest } = this.options;
    const rest = Math.min(maxRest, minRest * 2 ** Math.min(endpoint.connectFailures++, MAX_DOUBLINGS));
    // Half of it at random, so that callers do not come back together.
    endpoint.restMs = rest * (0.5 + this.ports.random.next() / 2);
    endpoint.restingUntil = now + endpoint.restMs;
    endpoint.probing = false;
  }

  /** The endpoint is there: its rest is over. */
  reached(endpoint: Endpoint): void {
    if (endpoint.connectFailures === 0) return;
    endpoint.connectFailures = 0;
    endpoint.restingUntil = 0;
    endpoint.restMs = 0;
    endpoint.probing = false;
  }
}

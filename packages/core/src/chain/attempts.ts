import { Rejection, type ErrorCode } from '../errors.js';
import type { AttemptFailure, Invocation } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ConnectRest } from '../resilience/retry/retry-policy.js';

/** Failures after which an endpoint rests: it cannot be reached, or says that it is going away or not well. */
const TIRING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MESH_ERR_CONNECT',
  'MESH_ERR_DRAINING',
  'MESH_ERR_LOCAL_DOWN',
]);

/** Doublings after which a rest no longer grows, so that the power stays a number that can be computed with. */
const MAX_DOUBLINGS = 16;

/** Lets endpoints rest that cannot be reached, and knows the last word about a call that nobody answers. */
export class Attempts {
  constructor(private readonly ports: Ports) {}

  /** The answer for the caller when nothing more is tried. */
  lastWord(call: Invocation, failure: AttemptFailure): Rejection {
    const attempts = call.failedAttempts > 1 ? ` (${call.failedAttempts} attempts)` : '';
    return new Rejection(failure.code, `${failure.message}${attempts}`);
  }

  /** An endpoint that refuses connections is passed over for a while, longer each time. */
  failed(endpoint: Endpoint, failure: AttemptFailure, { min, max }: ConnectRest): void {
    if (!TIRING.has(failure.code)) return;
    const now = this.ports.clock.now();
    // Calls that were under way when the rest began fail, too: all of them together are one failure.
    if (endpoint.restingUntil > now && !endpoint.probing) return;
    const rest = Math.min(max, min * 2 ** Math.min(endpoint.connectFailures++, MAX_DOUBLINGS));
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

import type { AttemptFailure, Invocation } from '../../../invocation.js';
import type { FakeCallFacts } from '../../../testing/fake-call.js';
import type { RetryRig } from '../../../testing/retry-rig.js';
import type { NextAttempt } from '../retry-planner.js';

/** Settings under which nothing is waited for. */
export const AT_ONCE = 'backoff.kind: zero';

/** A call whose method may not be executed twice. */
export const POST: FakeCallFacts = { method: 'POST', idempotent: false };

/** What wires report of attempts that got no answer. */
export const FAILURES = {
  connect: { code: 'MESH_ERR_CONNECT', sent: false, reusedConnection: false },
  draining: { code: 'MESH_ERR_DRAINING', sent: false, reusedConnection: false },
  reset: { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: false },
  'reset unsent': { code: 'MESH_ERR_UPSTREAM_RESET', sent: false, reusedConnection: false },
  stale: { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: true },
  garbage: { code: 'MESH_ERR_BAD_UPSTREAM', sent: true, reusedConnection: true },
  timeout: { code: 'MESH_ERR_TRY_TIMEOUT', sent: true, reusedConnection: false },
} as const;

export type Failure = keyof typeof FAILURES;

/** Reports one failure as a handler does. */
export function fail(rig: RetryRig, call: Invocation, name: Failure): NextAttempt {
  call.failedAttempts++;
  const failure: AttemptFailure = { ...FAILURES[name], message: name };
  return rig.planner.again(call, rig.plan, failure);
}

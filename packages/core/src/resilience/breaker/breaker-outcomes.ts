import type { ErrorCode } from '../../errors.js';
import { grpcStatusMask } from '../../grpc/failure-statuses.js';
import { GRPC_STATUS } from '../../grpc/status.js';
import type { Invocation, Outcome } from '../../invocation.js';

/** What the end of a call says about the service: `neither` when it says nothing. */
export type Judgement = 'success' | 'failure' | 'neither';

/** What an answer that Mesher made itself says about the service; `status`: the status decides, as for an answer of the service. */
export type CodeJudgement = 'failure' | 'neither' | 'status';

/**
 * What each code says about the called service. A failure is what the service, or the way to it, did wrong; what a policy of ours,
 * the caller or the configuration decided says nothing about it.
 */
export const CODE_JUDGEMENTS: Readonly<Record<ErrorCode, CodeJudgement>> = {
  // The service, or the way to it.
  MESH_ERR_CONNECT: 'failure',
  MESH_ERR_LOCAL_DOWN: 'failure',
  MESH_ERR_UPSTREAM_RESET: 'failure',
  MESH_ERR_BAD_UPSTREAM: 'failure',
  MESH_ERR_TIMEOUT: 'failure',
  MESH_ERR_TRY_TIMEOUT: 'failure',
  MESH_ERR_STATUS: 'failure',
  // Injected to see what happens when the service fails: its status decides, so that an injected 404 counts like a real one.
  MESH_ERR_FAULT_INJECTED: 'status',
  // The request was wrong, too large, too slow, or not allowed: the service never saw it.
  MESH_ERR_BAD_REQUEST: 'neither',
  MESH_ERR_DENIED: 'neither',
  MESH_ERR_EGRESS_DENIED: 'neither',
  MESH_ERR_REQUEST_TIMEOUT: 'neither',
  MESH_ERR_TOO_LARGE: 'neither',
  MESH_ERR_HEADER_TOO_LARGE: 'neither',
  MESH_ERR_URI_TOO_LONG: 'neither',
  MESH_ERR_NOT_IMPLEMENTED: 'neither',
  MESH_ERR_VERSION: 'neither',
  MESH_ERR_LOOP: 'neither',
  // Limits of ours. Were they failures, a burst of calls would open the breaker of a healthy service.
  MESH_ERR_RATE_LIMITED: 'neither',
  MESH_ERR_BULKHEAD_FULL: 'neither',
  MESH_ERR_BREAKER_OPEN: 'neither',
  MESH_ERR_OVERLOADED: 'neither',
  // Nobody was asked. An open breaker would only delay the first call after an instance has come.
  MESH_ERR_NO_ROUTE: 'neither',
  MESH_ERR_NO_INSTANCE: 'neither',
  MESH_ERR_NO_SUBSET: 'neither',
  MESH_ERR_NO_LOCAL_PORT: 'neither',
  MESH_ERR_REGISTRY_UNAVAILABLE: 'neither',
  // This sidecar goes, not the service.
  MESH_ERR_DRAINING: 'neither',
  // Decided by a rule or a plugin.
  MESH_REDIRECT: 'neither',
  MESH_DIRECT_RESPONSE: 'neither',
  MESH_ERR_PLUGIN: 'neither',
};

const HIGHEST_STATUS = 599;

/**
 * Statuses that count as failures, compiled from `503`, `http_503` and `5xx`, and gRPC statuses by name or number. A status of HTTP
 * stands for those of gRPC that mean the same, too ({@link grpcStatusMask}).
 */
export class FailureStatuses {
  readonly #isFailure = new Uint8Array(HIGHEST_STATUS + 1);
  /** One bit per gRPC status. */
  readonly #grpc: number;

  /** @param names each matches `FAILURE_STATUS` of the configuration; others are passed over */
  constructor(names: readonly string[]) {
    this.#grpc = grpcStatusMask(names);
    for (const name of names) {
      const [, first = '', rest = ''] = /^(?:http_)?([1-5])(\d\d|xx)$/i.exec(name) ?? [];
      if (first === '') continue;
      const from = Number(first) * 100 + (/\d/.test(rest) ? Number(rest) : 0);
      this.#isFailure.fill(1, from, /\d/.test(rest) ? from + 1 : from + 100);
    }
  }

  /** @param grpcStatus that of a gRPC call, which then decides alone: under HTTP it is always 200 */
  has(status: number, grpcStatus?: number): boolean {
    return grpcStatus === undefined ? this.#isFailure[status] === 1 : (this.#grpc & (1 << grpcStatus)) !== 0;
  }
}

/** Under this HTTP status a gRPC server says its own, at the end of the answer. */
const GRPC_CARRIER_STATUS = 200;

/**
 * What the beginning of an answer says already, for a probe that does not wait until its end.
 * @param status HTTP status; 0 for a relayed connection, which stands
 * @param grpcStatus that of an answer that is over with its beginning
 * @returns undefined while nothing is known: a gRPC answer begins with 200 whatever its end will be
 */
export function judgeBeginning(
  call: Invocation,
  status: number,
  grpcStatus: number | undefined,
  failures: FailureStatuses,
): Judgement | undefined {
  if (failures.has(status, grpcStatus)) return 'failure';
  if (call.protocol !== 'grpc' || status !== GRPC_CARRIER_STATUS) return 'success';
  if (grpcStatus === undefined) return undefined;
  return grpcStatus === GRPC_STATUS.CANCELLED ? 'neither' : 'success';
}

/**
 * What the end of a call, or of one attempt, says about the service. A client that went away says nothing, nor does an answer that the
 * service gave up (gRPC's CANCELLED), unless it is listed: mostly its caller had.
 */
export function judge(outcome: Outcome, failures: FailureStatuses): Judgement {
  if (outcome.aborted) return 'neither';
  const byCode = outcome.code === undefined ? 'status' : CODE_JUDGEMENTS[outcome.code];
  if (byCode !== 'status') return byCode;
  if (failures.has(outcome.status, outcome.grpcStatus)) return 'failure';
  return outcome.grpcStatus === GRPC_STATUS.CANCELLED ? 'neither' : 'success';
}

/** A relayed connection is no call: it may stay open for days without asking for anything, and how long it did says nothing. */
export function isRelayed(call: Invocation): boolean {
  return call.protocol === 'tcp';
}

/** Milliseconds that a caller waited: for the beginning of a gRPC answer, which may be a stream of hours, else for the whole one. */
export function waitOf({ beganAfterMs, durationMs }: Outcome): number {
  return beganAfterMs ?? durationMs;
}

/** Like {@link judge}, for a whole call. */
export function judgeCall(call: Invocation, outcome: Outcome, failures: FailureStatuses): Judgement {
  return isGivenUpByCaller(call, outcome) ? 'neither' : judge(outcome, failures);
}

/**
 * The time that the caller of an inbound call gave it is over, as seen here or, for gRPC, by the application. Anybody may give a call a millisecond: were that a failure of the
 * application, a few such calls would take it away from all other callers.
 */
export function isGivenUpByCaller(call: Invocation, { code, durationMs, grpcStatus }: Outcome): boolean {
  const isLate = code === undefined ? grpcStatus === GRPC_STATUS.DEADLINE_EXCEEDED : code === 'MESH_ERR_TIMEOUT';
  if (!isLate || call.direction !== 'inbound' || call.deadlineIsOurs) return false;
  return call.startedAt + durationMs >= call.deadlineAt;
}

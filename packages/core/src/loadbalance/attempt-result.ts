import type { ErrorCode } from '../errors.js';
import { GRPC_STATUS } from '../grpc/status.js';
import type { Outcome } from '../invocation.js';

/**
 * What an attempt says about the endpoint it went to. `gateway-error`: it did not answer properly, or said that whoever is behind it did not;
 * `server-error`: another 5xx; `nothing`: the caller left, or Mesher did not let the call go on.
 */
export type AttemptResult = 'success' | 'server-error' | 'gateway-error' | 'nothing';

/** Failures that are the doing of the endpoint or of the way to it. */
const NO_ANSWER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MESH_ERR_CONNECT',
  'MESH_ERR_DRAINING',
  'MESH_ERR_LOCAL_DOWN',
  'MESH_ERR_UPSTREAM_RESET',
  'MESH_ERR_BAD_UPSTREAM',
  'MESH_ERR_TIMEOUT',
  'MESH_ERR_TRY_TIMEOUT',
]);

/** What the end of an attempt says about its endpoint. Of a gRPC call its own status decides. */
export function resultOf({ aborted, code, grpcStatus, status }: Outcome): AttemptResult {
  if (aborted) return 'nothing';
  // An answer that lost a race of attempts because of its status: which one it was is not told, only that it is worth no more than a failure.
  if (code === 'MESH_ERR_STATUS' && status === 0) return 'server-error';
  // An answer that is tried again because of its status is an answer.
  if (code !== undefined && code !== 'MESH_ERR_STATUS') return NO_ANSWER.has(code) ? 'gateway-error' : 'nothing';
  if (grpcStatus !== undefined) return resultOfGrpc(grpcStatus);
  if (status < 500) return 'success';
  return status >= 502 && status <= 504 ? 'gateway-error' : 'server-error';
}

/**
 * The statuses that say that something is wrong with the instance, as Linkerd has them. Mistakes of callers, quotas and missing methods
 * are answers like others.
 */
function resultOfGrpc(status: number): AttemptResult {
  switch (status) {
    case GRPC_STATUS.UNAVAILABLE:
    case GRPC_STATUS.DEADLINE_EXCEEDED:
      return 'gateway-error';
    case GRPC_STATUS.UNKNOWN:
    case GRPC_STATUS.INTERNAL:
    case GRPC_STATUS.DATA_LOSS:
      return 'server-error';
    case GRPC_STATUS.CANCELLED:
      return 'nothing';
    default:
      return 'success';
  }
}

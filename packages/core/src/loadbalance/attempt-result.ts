import type { ErrorCode } from '../errors.js';
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
  'MESH_ERR_UPSTREAM_RESET',
  'MESH_ERR_BAD_UPSTREAM',
  'MESH_ERR_TIMEOUT',
  'MESH_ERR_TRY_TIMEOUT',
]);

export function resultOf({ aborted, code, status }: Outcome): AttemptResult {
  if (aborted) return 'nothing';
  // An answer that is tried again because of its status is an answer.
  if (code !== undefined && code !== 'MESH_ERR_STATUS') return NO_ANSWER.has(code) ? 'gateway-error' : 'nothing';
  if (status < 500) return 'success';
  return status >= 502 && status <= 504 ? 'gateway-error' : 'server-error';
}

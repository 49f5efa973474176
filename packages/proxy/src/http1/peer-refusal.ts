import type { AttemptFailure, Endpoint, ErrorCode } from '@mesher/core';
import type { Environment } from '../environment.js';
import { findField } from './field-lookup.js';
import type { Http1Call } from './http1-call.js';
import type { ResponseScanner } from './response-scanner.js';

/** Codes with which the sidecar of a peer says that the application behind it did not answer, and whether it may have got the request. */
const UNDELIVERED: ReadonlyMap<string, { readonly code: ErrorCode; readonly sent: boolean }> = new Map([
  ['MESH_ERR_CONNECT', { code: 'MESH_ERR_CONNECT', sent: false }],
  ['MESH_ERR_DRAINING', { code: 'MESH_ERR_DRAINING', sent: false }],
  ['MESH_ERR_UPSTREAM_RESET', { code: 'MESH_ERR_UPSTREAM_RESET', sent: true }],
]);

/**
 * The peer's sidecar may say that it could not deliver the request: that is an attempt that failed, not an answer.
 * @param endpoint where the answer comes from
 * @param scan has just scanned the head of the answer
 */
export function refusalOfPeer(
  call: Http1Call,
  endpoint: Endpoint,
  scan: ResponseScanner,
  buffer: Buffer,
  env: Environment,
): AttemptFailure | undefined {
  // Behind an inbound listener there is no sidecar, only the application, whose word this is not.
  if ((scan.status !== 502 && scan.status !== 503) || call.direction === 'inbound') return undefined;
  const field = env.fieldName('x-mesher-error');
  if ((scan.presence & field.bit) === 0) return undefined;
  const refusal = UNDELIVERED.get(findField(buffer, scan.fieldsStart, scan.end - 2, field) ?? '');
  if (refusal === undefined) return undefined;
  return {
    ...refusal,
    message: `the sidecar at ${endpoint.key} answered ${refusal.code}`,
    reusedConnection: false,
  };
}

import type { AnswerView, AttemptFailure, Endpoint, ErrorCode, Invocation } from '@mesher/core';

/** Codes with which the sidecar of a peer says that the application behind it did not answer, and whether it may have got the request. */
const UNDELIVERED: ReadonlyMap<string, { readonly code: ErrorCode; readonly sent: boolean }> = new Map([
  ['MESH_ERR_CONNECT', { code: 'MESH_ERR_CONNECT', sent: false }],
  ['MESH_ERR_DRAINING', { code: 'MESH_ERR_DRAINING', sent: false }],
  ['MESH_ERR_LOCAL_DOWN', { code: 'MESH_ERR_LOCAL_DOWN', sent: false }],
  ['MESH_ERR_UPSTREAM_RESET', { code: 'MESH_ERR_UPSTREAM_RESET', sent: true }],
]);

/** Field with the code of an error that a sidecar has answered. */
const ERROR_FIELD = 'x-mesher-error';

/**
 * The peer's sidecar may say that it could not deliver the request: that is an attempt that failed, not an answer.
 * @param endpoint where the answer comes from
 */
export function refusalOfPeer(call: Invocation, endpoint: Endpoint, answer: AnswerView): AttemptFailure | undefined {
  // Behind an inbound listener there is no sidecar, only the application, whose word this is not.
  const mayBe = mayBeRefusal(answer.status) || answer.grpcStatus !== undefined;
  if (!mayBe || call.direction === 'inbound') return undefined;
  const refusal = UNDELIVERED.get(answer.header(ERROR_FIELD) ?? '');
  if (refusal === undefined) return undefined;
  return {
    ...refusal,
    message: `the sidecar at ${endpoint.key} answered ${refusal.code}`,
    reusedConnection: false,
  };
}

/** True for statuses with which a sidecar says so to calls that are not of gRPC; other answers need not be looked into. */
export function mayBeRefusal(status: number): boolean {
  return status === 502 || status === 503;
}

import { Rejection, type Invocation } from '@mesher/core';
import type { ProxyOptions } from '../options.js';

/** How far an exchange has come, in order. */
export const enum Phase {
  /** A policy or resolver is thinking. */
  Deciding,
  /** No connection yet. */
  Connecting,
  AwaitResponse,
  /** The client has at least the head of the answer. */
  Response,
  Over,
}

/**
 * What the client is told when an exchange has taken too long before its answer began.
 * @param requestStalled the client owes us more of its request
 */
export function describeTimeout(
  phase: Phase,
  call: Invocation,
  requestStalled: boolean,
  options: ProxyOptions,
): Rejection {
  if (phase === Phase.Deciding) {
    return new Rejection('MESH_ERR_TIMEOUT', 'The decision about this call took too long');
  }
  if (phase === Phase.Connecting) {
    return new Rejection('MESH_ERR_OVERLOADED', `No connection became free within ${options.pendingTimeout} ms`, 1);
  }
  if (call.protocol === 'grpc') return describeSilence(call, requestStalled, options);
  if (requestStalled) {
    return new Rejection(
      'MESH_ERR_REQUEST_TIMEOUT',
      `No byte of the request body came for ${options.requestIdleTimeout} ms`,
    );
  }
  return new Rejection('MESH_ERR_TIMEOUT', `${upstreamOf(call)} did not answer within ${options.responseTimeout} ms`);
}

/** A stream of gRPC on which nothing has been said for too long. @param isOpen the client may say more, too */
function describeSilence(call: Invocation, isOpen: boolean, { responseIdleTimeout }: ProxyOptions): Rejection {
  const silent = isOpen
    ? `Neither the client nor ${upstreamOf(call)} said anything`
    : `${upstreamOf(call)} said nothing`;
  return new Rejection('MESH_ERR_TIMEOUT', `${silent} for ${responseIdleTimeout} ms`);
}

function upstreamOf({ endpoint }: Invocation): string {
  return endpoint === undefined ? 'the upstream' : endpoint.key;
}

/** What the client is told when its answer has not begun by the deadline of the call, however many attempts were made until then. */
export function describeDeadline(call: Invocation, requestDone: boolean): Rejection {
  const service = call.destination?.service ?? call.endpoint?.key ?? 'the upstream';
  const deadline = Math.round(call.deadlineAt - call.startedAt);
  const attempts = call.attempts > 1 ? `, in ${call.attempts} attempts` : '';
  const sending = requestDone ? '' : '; the request was still being sent';
  return new Rejection(
    'MESH_ERR_TIMEOUT',
    `${service} did not begin to answer within the deadline of ${deadline} ms${attempts}${sending}`,
  );
}

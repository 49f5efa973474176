import { Rejection, type Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { OutgoingHead, UpstreamAttempt } from '../http2/connection/attempt-stream.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import { summarize } from '../http2/field-summary.js';
import { Http1Attempt } from './http1-attempt.js';
import { renderRequest } from './request-head.js';
import { TunnelAttempt } from './tunnel-attempt.js';
import { newWebSocketKey, WEBSOCKET } from './websocket-handshake.js';

/**
 * Sends a request that came over HTTP/2 to an instance over HTTP/1.
 * @param endStream the head is all of the request
 * @param fresh over a connection that nobody has used before
 * @returns a rejection when the request cannot be translated, or when too many wait already
 */
export function openBridge(
  env: Environment,
  endpoint: Endpoint,
  receiver: AnswerReceiver,
  head: OutgoingHead,
  endStream: boolean,
  fresh: boolean,
): UpstreamAttempt | Rejection {
  const { method, protocol } = summarize(head.block);
  if (protocol !== '') return openWebSocket(env, endpoint, receiver, head, protocol);
  const request = renderRequest(head, endStream, undefined);
  if (typeof request === 'string') return new Rejection('MESH_ERR_BAD_REQUEST', `The request has ${request}`);
  return new Http1Attempt(receiver, endpoint, env, request, method === 'HEAD', endStream).begin(fresh);
}

/**
 * A plain CONNECT: what follows is no HTTP, so the bytes go to the instance as they are, whatever it speaks (RFC 9110, 9.3.6; RFC 9113,
 * 8.5).
 */
export function openTunnel(
  env: Environment,
  endpoint: Endpoint,
  receiver: AnswerReceiver,
): UpstreamAttempt | Rejection {
  return new TunnelAttempt(receiver, endpoint, env, undefined, '').begin(true);
}

/** An extended CONNECT (RFC 8441) as the upgrade request that it stands for. */
function openWebSocket(
  env: Environment,
  endpoint: Endpoint,
  receiver: AnswerReceiver,
  head: OutgoingHead,
  protocol: string,
): UpstreamAttempt | Rejection {
  if (protocol.toLowerCase() !== WEBSOCKET) {
    return new Rejection(
      'MESH_ERR_NOT_IMPLEMENTED',
      `${endpoint.key} speaks HTTP/1, and only ${WEBSOCKET} is translated to it, not the :protocol of this request`,
    );
  }
  const key = newWebSocketKey(env.random);
  const request = renderRequest(head, false, { protocol: WEBSOCKET, key });
  if (typeof request === 'string') return new Rejection('MESH_ERR_BAD_REQUEST', `The request has ${request}`);
  return new TunnelAttempt(receiver, endpoint, env, request.text, key).begin(true);
}

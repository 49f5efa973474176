import { Rejection, type Endpoint } from '@mesher/core';
import { openBridge, openTunnel } from '../../bridge/open-bridge.js';
import type { Environment } from '../../environment.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { summarize } from '../field-summary.js';
import type { Http2Call } from './http2-call.js';

/**
 * Sends the request of an HTTP/2 client to an endpoint, over the version of HTTP that it speaks: the first attempt of a call, further
 * ones, hedges and copies all begin here.
 * @param head of the request as this attempt sends it
 * @param endStream the head is all of it
 * @param fresh not over a connection that was used before, where a request has a connection to itself
 * @returns a rejection when the request cannot be sent there, or when too many wait for the endpoint already. The receiver may be told of
 *   a failure before the return.
 */
export function openAttempt(
  env: Environment,
  call: Http2Call,
  endpoint: Endpoint,
  receiver: AnswerReceiver,
  head: OutgoingHead,
  endStream: boolean,
  fresh: boolean = false,
): UpstreamAttempt | Rejection {
  const { speaks } = endpoint;
  if (call.isGrpc) {
    // HTTP/1 has no streams both ways: half of it would work.
    if (speaks === 'http1') return grpcNotSpoken(endpoint);
  } else {
    if (call.method === 'CONNECT' && summarize(head.block).protocol === '') return openTunnel(env, endpoint, receiver);
    if (speaks !== 'http2') return openBridge(env, endpoint, receiver, head, endStream, fresh);
  }
  return env.streamPools.of(endpoint).open(receiver, head, endStream);
}

/** An attempt would have to wait in line until another one has ended. Those that nobody waits for, hedges and copies, are left out then. */
export function mustWait(env: Environment, call: Http2Call, endpoint: Endpoint): boolean {
  const isStream = call.isGrpc || endpoint.speaks === 'http2';
  return isStream ? env.streamPools.of(endpoint).isFull : env.pools.of(endpoint).isFull;
}

export function inLine(endpoint: Endpoint): Rejection {
  return new Rejection('MESH_ERR_OVERLOADED', `no connection to ${endpoint.key} is free`);
}

function grpcNotSpoken(endpoint: Endpoint): Rejection {
  return new Rejection(
    'MESH_ERR_NO_INSTANCE',
    `${endpoint.key} speaks HTTP/1 only, and gRPC is not translated: the instance needs an address for grpc or h2c`,
  );
}

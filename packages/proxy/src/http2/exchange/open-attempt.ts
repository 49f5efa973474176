import type { Endpoint, Rejection } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import type { Http2Call } from './http2-call.js';

/**
 * Sends the request of an HTTP/2 client to an endpoint, over the version of HTTP that it speaks: the first attempt of a call, further
 * ones, hedges and copies all begin here.
 * @param head of the request as this attempt sends it
 * @param endStream the head is all of it
 * @returns a rejection when too many wait for the endpoint already. The receiver may be told of a failure before the return.
 */
export function openAttempt(
  env: Environment,
  _call: Http2Call,
  endpoint: Endpoint,
  receiver: AnswerReceiver,
  head: OutgoingHead,
  endStream: boolean,
): UpstreamAttempt | Rejection {
  return env.streamPools.of(endpoint).open(receiver, head, endStream);
}

import { Rejection } from '@mesher/core';
import { localAnswer, localGrpcAnswer, NO_CALL } from '../../exchange/local-answer.js';
import { localHead } from '../exchange/answer-head.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2Limits } from '../limits.js';
import type { ServerStream } from './server-stream.js';

const GRPC_TYPE = 'application/grpc';

/** Answers a request whose header list exceeds a limit: 431, or RESOURCE_EXHAUSTED for gRPC. `block` is not all of the list. */
export function refuseHead(stream: ServerStream, block: HeaderBlock, limits: Http2Limits): void {
  const { maxHeaderListBytes, maxHeaderFields } = limits;
  const rejection = new Rejection(
    'MESH_ERR_HEADER_TOO_LARGE',
    `The header list of the request is beyond ${maxHeaderListBytes} bytes or ${maxHeaderFields} fields (${block.excess})`,
  );
  const isGrpc = block.first('content-type')?.startsWith(GRPC_TYPE) === true;
  const answer = isGrpc ? localGrpcAnswer(rejection, NO_CALL) : localAnswer(rejection, NO_CALL);
  const isWhole = answer.body.length === 0 || block.first(':method') === 'HEAD';
  stream.head(localHead(answer), isWhole);
  if (!isWhole) stream.data(answer.body, 0, answer.body.length, true);
  stream.refuseRest();
}

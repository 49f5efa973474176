import { DirectAnswer, type Rejection } from '../errors.js';
import type { Field } from '../invocation.js';
import { encodeGrpcMessage } from './message.js';
import { PUSHBACK_FIELD } from './pushback.js';

/** Content of a {@link DirectAnswer} that people can read, and so can stand for its message. */
const TEXT = /^text\/plain\b/i;

/**
 * What the trailers of an answer of our own say to a gRPC caller: the status, what happened and what to do, which is all that its people
 * get to see, and when to come back if that is known. The text that somebody has configured as the body of an answer is its message, since gRPC has no such body.
 */
export function errorTrailers(rejection: Rejection): Field[] {
  const { grpcStatus, retryAfterSeconds } = rejection;
  const fields: Field[] = [
    ['grpc-status', String(grpcStatus)],
    ['grpc-message', encodeGrpcMessage(messageOf(rejection))],
  ];
  if (retryAfterSeconds !== undefined) fields.push([PUSHBACK_FIELD, String(retryAfterSeconds * 1000)]);
  return fields;
}

function messageOf(rejection: Rejection): string {
  const { code, message, hint } = rejection;
  if (rejection instanceof DirectAnswer) {
    return TEXT.test(rejection.contentType) && rejection.body !== '' ? rejection.body : `${code}: ${message}`;
  }
  return `${code}: ${message}${message.endsWith('.') ? '' : '.'} ${hint}`.trimEnd();
}

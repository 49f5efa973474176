import { STATUS_CODES } from 'node:http';
import type { Rejection } from '@mesher/core';
import { answeredCall, localAnswer, NO_CALL, type LocalAnswer } from '../exchange/local-answer.js';
import type { Http1Call } from './http1-call.js';
import { renderFields } from './response-fields.js';

/** The whole answer to a call: status line, fields and body. @param close the connection ends with it */
export function renderReplyTo(call: Http1Call, rejection: Rejection, close: boolean): string {
  return render(localAnswer(rejection, answeredCall(call)), call.isHead, close);
}

/** The whole answer to something that was no request, after which the connection ends. */
export function renderLastReply(rejection: Rejection): string {
  return render(localAnswer(rejection, NO_CALL), false, true);
}

/** The usual words behind a status; none for a status that nobody has named. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? '';
}

function render({ status, fields, body }: LocalAnswer, headOnly: boolean, close: boolean): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${renderFields(fields)}`;
  if (close) head += 'connection: close\r\n';
  head += '\r\n';
  return headOnly ? head : head + body.toString('latin1');
}

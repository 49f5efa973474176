import { STATUS_CODES } from 'node:http';
import type { Rejection } from '@mesher/core';
import type { Http1Call } from './http1-call.js';

/** What the reply says about the call it answers. */
export interface ReplyContext {
  readonly service: string | undefined;
  readonly requestId: string | undefined;
  readonly plainText: boolean;
  readonly headOnly: boolean;
  readonly close: boolean;
}

/** True when the client would rather read text than JSON: it names text and does not accept JSON. */
export function prefersPlainText(call: Http1Call): boolean {
  const accept = call.header('accept');
  return accept !== undefined && accept.includes('text/') && !accept.includes('json') && !accept.includes('*/*');
}

/** The answer that Mesher makes itself, whole: status line, `x-mesher-error`, and a body that says what to do. */
export function renderLocalReply(rejection: Rejection, context: ReplyContext): string {
  const { status } = rejection;
  const body = context.plainText
    ? `${rejection.code}: ${rejection.message}\n${rejection.hint}\n`
    : `${JSON.stringify({
        code: rejection.code,
        message: rejection.message,
        service: context.service,
        requestId: context.requestId,
        hint: rejection.hint,
      })}\n`;
  const bytes = Buffer.from(body);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  head += `content-type: ${context.plainText ? 'text/plain' : 'application/json'}; charset=utf-8\r\n`;
  head += `content-length: ${bytes.length}\r\nx-mesher-error: ${rejection.code}\r\n`;
  if (rejection.retryAfterSeconds !== undefined) head += `retry-after: ${rejection.retryAfterSeconds}\r\n`;
  if (context.requestId !== undefined) head += `x-request-id: ${context.requestId}\r\n`;
  if (context.close) head += 'connection: close\r\n';
  head += '\r\n';
  return context.headOnly ? head : head + bytes.toString('latin1');
}

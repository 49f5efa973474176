import { STATUS_CODES } from 'node:http';
import { DirectAnswer, type Field, type Rejection } from '@mesher/core';
import { FIELD_VALUE } from './characters.js';
import type { Http1Call } from './http1-call.js';
import { renderFields } from './response-fields.js';

/** What an answer of our own says by itself: a policy that edits these fields means those of the service. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['content-type', 'content-length', 'x-mesher-error']);

/** What the reply says about the call it answers. */
export interface ReplyContext {
  readonly service: string | undefined;
  readonly requestId: string | undefined;
  readonly plainText: boolean;
  readonly headOnly: boolean;
  readonly close: boolean;
  /** Fields that policies add. */
  readonly fields: readonly Field[] | undefined;
}

interface ReplyBody {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** What a direct answer with an impossible content type gets. */
const PLAIN_TEXT = 'text/plain; charset=utf-8';
/** Codes of errors; other codes say why Mesher answers although nothing went wrong. */
const ERROR_PREFIX = 'MESH_ERR_';

/** The whole answer to a call, see {@link renderLocalReply}. */
export function renderReplyTo(call: Http1Call, rejection: Rejection, close: boolean): string {
  return renderLocalReply(rejection, {
    service: call.destination?.service,
    requestId: call.requestId ?? call.header('x-request-id'),
    plainText: prefersPlainText(call),
    headOnly: call.isHead,
    close,
    fields: call.responseFields,
  });
}

/** True when the client would rather read text than JSON: it names text and does not accept JSON. */
function prefersPlainText(call: Http1Call): boolean {
  const accept = call.header('accept');
  return accept !== undefined && accept.includes('text/') && !accept.includes('json') && !accept.includes('*/*');
}

/**
 * The status under which a rejection is answered. A configured one below 200 announces another answer (RFC 9110, 15.2), for which the
 * client would wait in vain, and one that has not three digits breaks the status line: both become 500.
 */
export function statusOf(rejection: Rejection): number {
  const { status } = rejection;
  return Number.isInteger(status) && status >= 200 && status <= 999 ? status : 500;
}

/** The answer that Mesher makes itself, whole: status line, `x-mesher-error`, and a body that says what to do. */
export function renderLocalReply(rejection: Rejection, context: ReplyContext): string {
  const status = statusOf(rejection);
  const { bytes, contentType } =
    rejection instanceof DirectAnswer ? directBody(rejection, status) : errorBody(rejection, context);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n`;
  if (bytes.length > 0) head += `content-type: ${contentType}\r\n`;
  if (mayHaveBody(status)) head += `content-length: ${bytes.length}\r\n`;
  if (rejection.code.startsWith(ERROR_PREFIX)) head += `x-mesher-error: ${rejection.code}\r\n`;
  if (rejection.retryAfterSeconds !== undefined) head += `retry-after: ${rejection.retryAfterSeconds}\r\n`;
  if (context.requestId !== undefined) head += `x-request-id: ${context.requestId}\r\n`;
  head += renderFields(context.fields?.filter(([name]) => !OWN_FIELDS.has(name.toLowerCase())));
  if (context.close) head += 'connection: close\r\n';
  head += '\r\n';
  return context.headOnly ? head : head + bytes.toString('latin1');
}

function errorBody(rejection: Rejection, context: ReplyContext): ReplyBody {
  const body = context.plainText
    ? `${rejection.code}: ${rejection.message}\n${rejection.hint}\n`
    : `${JSON.stringify({
        code: rejection.code,
        message: rejection.message,
        service: context.service,
        requestId: context.requestId,
        hint: rejection.hint,
      })}\n`;
  const contentType = `${context.plainText ? 'text/plain' : 'application/json'}; charset=utf-8`;
  return { bytes: Buffer.from(body), contentType };
}

/** The body as it was configured; none where the status forbids it (RFC 9110, 15.3.6: nor with 205). */
function directBody(answer: DirectAnswer, status: number): ReplyBody {
  const text = mayHaveBody(status) && status !== 205 ? answer.body : '';
  return { bytes: Buffer.from(text), contentType: isFieldValue(answer.contentType) ? answer.contentType : PLAIN_TEXT };
}

/** 204 and 304 end with their head (RFC 9112, 6.3). */
function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** False for text that would end the line, and with it let a body be taken for fields. */
function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (FIELD_VALUE[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}

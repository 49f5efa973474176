import { DirectAnswer, errorTrailers, type Field, type Invocation, type Rejection } from '@mesher/core';
import { FIELD_VALUE } from '../http1/characters.js';

/** What an answer of our own says by itself: a policy that edits these fields means those of the service. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'x-mesher-error',
  'grpc-status',
  'grpc-message',
]);

/** What a direct answer with an impossible content type gets. */
const PLAIN_TEXT = 'text/plain; charset=utf-8';
/** Codes of errors; other codes say why Mesher answers although nothing went wrong. */
const ERROR_PREFIX = 'MESH_ERR_';

/** What an answer says about the call that it answers. */
export interface AnsweredCall {
  readonly service: string | undefined;
  readonly requestId: string | undefined;
  /** Name of the field with that id. */
  readonly requestIdField: string;
  readonly plainText: boolean;
  /** Fields that policies add. */
  readonly fields: readonly Field[] | undefined;
}

/** An answer to something that was no call. */
export const NO_CALL: AnsweredCall = {
  service: undefined,
  requestId: undefined,
  requestIdField: 'x-request-id',
  plainText: false,
  fields: undefined,
};

/** An answer that Mesher makes itself, whole, for any wire. */
export interface LocalAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

export function answeredCall(call: Invocation): AnsweredCall {
  return {
    service: call.destination?.service,
    requestId: call.requestId ?? call.header(call.requestIdField),
    requestIdField: call.requestIdField,
    plainText: prefersPlainText(call),
    fields: call.responseFields,
  };
}

/**
 * The status under which a rejection is answered. A configured one below 200 announces another answer (RFC 9110, 15.2), for which the
 * client would wait in vain, and one that has not three digits breaks the status line: both become 500.
 */
export function statusOf(rejection: Rejection): number {
  const { status } = rejection;
  return Number.isInteger(status) && status >= 200 && status <= 999 ? status : 500;
}

/** The answer of HTTP: a status, `x-mesher-error`, and a body that says what to do. */
export function localAnswer(rejection: Rejection, call: AnsweredCall): LocalAnswer {
  const status = statusOf(rejection);
  const { bytes, contentType } =
    rejection instanceof DirectAnswer ? directBody(rejection, status) : errorBody(rejection, call);
  const fields: Field[] = [];
  if (bytes.length > 0) fields.push(['content-type', contentType]);
  if (mayHaveBody(status)) fields.push(['content-length', String(bytes.length)]);
  addCommon(fields, rejection, call);
  return { status, fields, body: bytes };
}

/** The answer of gRPC: a head that is trailers at once (Trailers-Only of the protocol), under the status of the error table. */
export function localGrpcAnswer(rejection: Rejection, call: AnsweredCall): LocalAnswer {
  const fields: Field[] = [['content-type', 'application/grpc'], ...errorTrailers(rejection)];
  addCommon(fields, rejection, call);
  return { status: 200, fields, body: NO_BYTES };
}

const NO_BYTES = Buffer.alloc(0);

function addCommon(
  fields: Field[],
  rejection: Rejection,
  { requestId, requestIdField, fields: added }: AnsweredCall,
): void {
  if (rejection.code.startsWith(ERROR_PREFIX)) fields.push(['x-mesher-error', rejection.code]);
  if (rejection.retryAfterSeconds !== undefined) fields.push(['retry-after', String(rejection.retryAfterSeconds)]);
  if (requestId !== undefined) fields.push([requestIdField, requestId]);
  for (const field of added ?? []) if (!OWN_FIELDS.has(field[0].toLowerCase())) fields.push(field);
}

/** True when the client would rather read text than JSON: it names text and does not accept JSON. */
function prefersPlainText(call: Invocation): boolean {
  const accept = call.header('accept');
  return accept !== undefined && accept.includes('text/') && !accept.includes('json') && !accept.includes('*/*');
}

interface AnswerBody {
  readonly bytes: Buffer;
  readonly contentType: string;
}

function errorBody(rejection: Rejection, call: AnsweredCall): AnswerBody {
  const body = call.plainText
    ? `${rejection.code}: ${rejection.message}\n${rejection.hint}\n`
    : `${JSON.stringify({
        code: rejection.code,
        message: rejection.message,
        service: call.service,
        requestId: call.requestId,
        hint: rejection.hint,
      })}\n`;
  const contentType = `${call.plainText ? 'text/plain' : 'application/json'}; charset=utf-8`;
  return { bytes: Buffer.from(body), contentType };
}

/** The body as it was configured; none where the status forbids it (RFC 9110, 15.3.6: nor with 205). */
function directBody(answer: DirectAnswer, status: number): AnswerBody {
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

import { randomBytes } from 'node:crypto';
import type { Invocation } from '../invocation.js';

const REQUEST_ID_FIELD = 'x-request-id';
/** Random part in bytes: unique per process start with overwhelming likelihood; the counter does the rest. */
const PREFIX_BYTES = 8;
/** Digits of the counter: 2^48 requests. */
const COUNTER_DIGITS = 12;

/** Gives an id to each request that has none, so that a log line, an error reply and a trace can be brought together. */
export class RequestIds {
  readonly #prefix: string = `${randomBytes(PREFIX_BYTES).toString('hex')}-`;
  #count = 0;

  /** Adds `x-request-id` unless the request has one. */
  apply(call: Invocation): void {
    if (call.header(REQUEST_ID_FIELD) !== undefined) return;
    const id = this.#prefix + (++this.#count).toString(16).padStart(COUNTER_DIGITS, '0');
    call.requestId = id;
    call.addHeader(REQUEST_ID_FIELD, id);
  }
}

import { randomUUID } from 'node:crypto';
import type { Invocation } from '../invocation.js';

export interface RequestIdOptions {
  /** Name of the header field, in any letter case. */
  readonly header: string;
  /** Longest id, in characters, that a request may bring along. */
  readonly maxLength: number;
}

const DEFAULTS: RequestIdOptions = { header: 'X-Request-Id', maxLength: 256 };

const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** Gives an id to each request that has none, so that a log line, an error reply and a trace can be brought together. */
export class RequestIds {
  #header = '';
  #field = '';
  #maxLength = 0;

  constructor(options: RequestIdOptions = DEFAULTS) {
    this.configure(options);
  }

  configure({ header, maxLength }: RequestIdOptions): void {
    this.#header = header;
    this.#field = header.toLowerCase();
    this.#maxLength = maxLength;
  }

  /**
   * Adds an id (a random UUID, RFC 9562, version 4) unless the request has one. One that cannot be an id, because it is empty, too long or
   * holds what no log should show, is replaced: it would be kept, compared and written for as long as the call lasts.
   *
   * A call that was given an id keeps it: harmless when called twice.
   */
  apply(call: Invocation): void {
    if (call.requestId !== undefined) return;
    call.requestIdField = this.#field;
    const present = call.header(this.#field);
    if (present !== undefined && this.#isUsable(present)) return;
    // Of cached random bytes: 0.1 us.
    const id = randomUUID();
    call.requestId = id;
    if (present === undefined) call.addHeader(this.#header, id);
    else call.setHeader(this.#header, id);
  }

  #isUsable(id: string): boolean {
    if (id === '' || id.length > this.#maxLength) return false;
    for (let i = 0; i < id.length; i++) {
      const code = id.charCodeAt(i);
      if (code < FIRST_PRINTABLE || code > LAST_PRINTABLE) return false;
    }
    return true;
  }
}

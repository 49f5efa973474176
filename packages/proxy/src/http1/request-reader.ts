import { Rejection, type ErrorCode } from '@mesher/core';
import type { Environment } from '../environment.js';
import { BROKEN, ChunkScanner, NEED_MORE } from './chunk-scanner.js';
import type { Exchange } from './exchange.js';
import {
  COMPLETE,
  INCOMPLETE,
  TOO_MANY_FIELDS,
  UNSUPPORTED_CODING,
  WRONG_VERSION,
  type ScanResult,
} from './field-scanner.js';
import type { RequestScanner } from './request-scanner.js';

const enum Body {
  None,
  Length,
  Chunked,
}

/** What the reader asks of the connection that it reads for. */
export interface RequestSink {
  /** The exchange that is under way: no other request is read before it has ended. */
  readonly exchange: Exchange | undefined;
  /** False once no further request is wanted. */
  readonly isReading: boolean;
  /** A request head is complete, and so may be its body. */
  openExchange(buffer: Buffer, scan: RequestScanner, bodyEnd: number, requestDone: boolean): void;
  /** What came is no request. */
  refuse(code: ErrorCode, message: string): void;
  /** The first bytes of a request are there, and more must follow. */
  onPartialHead(): void;
  /** Everything that was there has been looked at. */
  onExhausted(): void;
  pause(): void;
  /** The client breaks the framing of a body of which some has been forwarded. */
  breakOff(): void;
}

/**
 * Finds the requests in the bytes of a client. It keeps the order of answers by not reading the next request before the present
 * exchange has ended: what comes early (pipelining) is held, up to a bound.
 */
export class RequestReader {
  #held: Buffer | undefined;
  #body: Body = Body.None;
  #remaining = 0;
  #chunks: ChunkScanner | undefined;
  #consuming = false;

  constructor(
    private readonly sink: RequestSink,
    private readonly env: Environment,
  ) {}

  /** Bytes wait here: the beginning of a request, or requests that came early. */
  get holdsBytes(): boolean {
    return this.#held !== undefined;
  }

  take(chunk: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    this.#consume(held === undefined ? chunk : Buffer.concat([held, chunk]));
  }

  /** The exchange has ended: goes on with what was held. */
  next(): void {
    const held = this.#held;
    if (this.#consuming || held === undefined) return;
    this.#held = undefined;
    this.#consume(held);
  }

  /** Gives away what was held. */
  release(): Buffer | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #consume(buffer: Buffer): void {
    const { sink } = this;
    this.#consuming = true;
    for (let i = 0; i >= 0 && i < buffer.length && sink.isReading;) {
      const { exchange } = sink;
      if (exchange === undefined) i = this.#readHead(buffer, i);
      else if (this.#body !== Body.None) i = this.#readBody(exchange, buffer, i);
      else {
        this.#held = buffer.subarray(i);
        if (this.#held.length > this.env.options.maxPipelinedBytes) sink.pause();
        break;
      }
    }
    this.#consuming = false;
    sink.onExhausted();
  }

  /** @returns the position after what was taken; -1 when more is needed or the connection is refused */
  #readHead(buffer: Buffer, i: number): number {
    const scan = this.env.requestScanner;
    const result = scan.scanRequest(buffer, i, buffer.length);
    const { maxHeadBytes } = this.env.options;
    if (result !== COMPLETE && result !== INCOMPLETE) return this.#refuseHead(result);
    if ((result === COMPLETE ? scan.end : buffer.length) - i > maxHeadBytes) {
      return this.#refuseLargeHead(buffer, i, maxHeadBytes);
    }
    if (result === INCOMPLETE) {
      this.#held = i === 0 ? buffer : buffer.subarray(i);
      this.sink.onPartialHead();
      return -1;
    }
    const bodyStart = scan.end;
    let bodyEnd = bodyStart;
    this.#body = Body.None;
    if (scan.form === 'authority') {
      // what follows a CONNECT belongs to the tunnel
    } else if (scan.chunked) {
      this.#body = Body.Chunked;
      const chunks = (this.#chunks ??= new ChunkScanner(this.env.options.maxTrailerBytes));
      chunks.reset();
      const at = chunks.feed(buffer, bodyStart, buffer.length);
      if (at === BROKEN) return this.#refuse('MESH_ERR_BAD_REQUEST', `The request has ${chunks.problem}`);
      if (at === NEED_MORE) bodyEnd = buffer.length;
      else {
        bodyEnd = at;
        this.#body = Body.None;
      }
    } else if (scan.contentLength > 0) {
      bodyEnd = Math.min(buffer.length, bodyStart + scan.contentLength);
      this.#remaining = scan.contentLength - (bodyEnd - bodyStart);
      if (this.#remaining > 0) this.#body = Body.Length;
    }
    this.sink.openExchange(buffer, scan, bodyEnd, this.#body === Body.None);
    return bodyEnd;
  }

  #readBody(exchange: Exchange, buffer: Buffer, i: number): number {
    let bodyEnd = buffer.length;
    let done = false;
    if (this.#body === Body.Chunked) {
      const chunks = this.#chunks as ChunkScanner;
      const at = chunks.feed(buffer, i, buffer.length);
      if (at === BROKEN) {
        this.env.stats.malformedRequests++;
        if (exchange.hasAnswered) this.sink.breakOff();
        else exchange.reply(new Rejection('MESH_ERR_BAD_REQUEST', `The request has ${chunks.problem}`));
        return -1;
      }
      if (at !== NEED_MORE) {
        bodyEnd = at;
        done = true;
      }
    } else {
      bodyEnd = Math.min(buffer.length, i + this.#remaining);
      this.#remaining -= bodyEnd - i;
      done = this.#remaining === 0;
    }
    if (done) this.#body = Body.None;
    exchange.onRequestBody(buffer.subarray(i, bodyEnd), done);
    return bodyEnd;
  }

  #refuseLargeHead(buffer: Buffer, i: number, maxHeadBytes: number): number {
    const lineEnd = buffer.indexOf('\r\n', i + 2);
    return lineEnd < 0 || lineEnd - i > maxHeadBytes
      ? this.#refuse('MESH_ERR_URI_TOO_LONG', `The request line is longer than ${maxHeadBytes} bytes`)
      : this.#refuse('MESH_ERR_HEADER_TOO_LARGE', `The head of the request is larger than ${maxHeadBytes} bytes`);
  }

  #refuseHead(result: ScanResult): number {
    const { problem } = this.env.requestScanner;
    switch (result) {
      case TOO_MANY_FIELDS:
        return this.#refuse(
          'MESH_ERR_HEADER_TOO_LARGE',
          `The request has more than ${this.env.options.maxHeaderFields} header fields`,
        );
      case UNSUPPORTED_CODING:
        return this.#refuse('MESH_ERR_NOT_IMPLEMENTED', `The request uses ${problem}`);
      case WRONG_VERSION:
        return this.#refuse('MESH_ERR_VERSION', `The request names ${problem}`);
      default:
        return this.#refuse('MESH_ERR_BAD_REQUEST', `The request has ${problem}`);
    }
  }

  #refuse(code: ErrorCode, message: string): number {
    this.sink.refuse(code, message);
    return -1;
  }
}

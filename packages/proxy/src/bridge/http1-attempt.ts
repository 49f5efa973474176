import type { Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import type { HeaderBlock } from '../http2/hpack/header-block.js';
import type { UpstreamLink } from '../upstream/upstream-link.js';
import { asChunk, asCopy } from './chunks.js';
import { blockOfAnswer, lastChunk, trailerBlock } from './field-lines.js';
import { NO_BYTES, PooledAttempt } from './pooled-attempt.js';
import type { RenderedRequest } from './request-head.js';

const WRONG_LENGTH = 'The request has a body that is not as long as its content-length says';

/** A call of HTTP/2 to an instance that speaks HTTP/1: request and answer are translated piece by piece as they flow. */
export class Http1Attempt extends PooledAttempt {
  readonly upgrade = undefined;
  #requestDone: boolean;
  #responseDone = false;
  /** Bytes of the body that are still to come; -1 when it is sent in chunks. */
  #missing: number;
  #trailers: HeaderBlock | undefined = undefined;

  /** @param endStream the head is all of the request */
  constructor(
    receiver: AnswerReceiver,
    endpoint: Endpoint,
    env: Environment,
    private readonly request: RenderedRequest,
    readonly isHead: boolean,
    endStream: boolean,
  ) {
    super(receiver, endpoint, env);
    this.#requestDone = endStream;
    this.#missing = request.isChunked ? -1 : request.contentLength;
  }

  protected connected(link: UpstreamLink): void {
    this.env.stats.bytesToUpstream += this.request.text.length;
    link.write(this.request.text);
    this.open(link);
  }

  protected send(link: UpstreamLink, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const bytes = end - start;
    if (this.#requestDone) return;
    if (this.request.isChunked) {
      if (bytes > 0 || endStream) link.writeBody(asChunk(buffer, start, end, endStream));
    } else {
      this.#missing -= bytes;
      // The stream has checked that already; here more or less would make a request out of the body, or a body out of the next one.
      if (this.#missing < 0 || (endStream && this.#missing > 0)) {
        this.fail('MESH_ERR_BAD_REQUEST', WRONG_LENGTH);
        return;
      }
      if (bytes > 0) link.writeBody(asCopy(buffer, start, end));
    }
    if (endStream) this.#requestEnds(link);
  }

  protected sendTrailers(link: UpstreamLink, block: HeaderBlock): void {
    if (this.#requestDone) return;
    // HTTP/1 has trailers behind chunks only (RFC 9112, 7.1.2); recipients must do without (RFC 9110, 6.5.2).
    if (this.request.isChunked) link.write(lastChunk(block));
    else if (this.#missing !== 0) {
      this.fail('MESH_ERR_BAD_REQUEST', WRONG_LENGTH);
      return;
    }
    this.#requestEnds(link);
  }

  protected drop(link: UpstreamLink): void {
    // Half a request cannot be taken back, and what is left of the answer may be endless: the connection ends.
    link.abandon();
  }

  onInformational(scan: ResponseScanner, buffer: Buffer): void {
    if (!this.isOver) this.receiver.onInterimAnswer(blockOfAnswer(scan, buffer, scan.status));
  }

  onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    _start: number,
    bodyEnd: number,
    complete: boolean,
    _untilClose: boolean,
  ): void {
    if (this.isOver) return;
    const bodyStart = scan.end;
    const endsWithHead = complete && bodyEnd === bodyStart;
    this.receiver.onAnswerHead(blockOfAnswer(scan, buffer, scan.status), endsWithHead);
    if (this.isOver) return;
    if (endsWithHead) this.#answerEnds();
    else {
      if (bodyEnd > bodyStart) this.give(buffer, bodyStart, bodyEnd, complete);
      if (complete && !this.isOver) this.#answerEnds();
    }
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (!this.isOver && end > start) this.give(buffer, start, end, false);
  }

  onResponseTrailers(lines: string): void {
    this.#trailers = trailerBlock(lines);
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    const trailers = this.#trailers;
    if (trailers === undefined) this.receiver.onAnswerData(NO_BYTES, 0, 0, true);
    else this.receiver.onAnswerTrailers(trailers);
    if (!this.isOver) this.#answerEnds();
  }

  onUpgraded(): void {
    // never: the request asks for no other protocol
  }

  #requestEnds(link: UpstreamLink): void {
    this.#requestDone = true;
    if (this.#responseDone) this.#finish(link);
  }

  #answerEnds(): void {
    this.#responseDone = true;
    const { link } = this;
    if (this.#requestDone && link !== undefined) this.#finish(link);
  }

  /** Both messages are complete: the connection serves others. */
  #finish(link: UpstreamLink): void {
    this.isOver = true;
    this.link = undefined;
    link.finish();
  }
}

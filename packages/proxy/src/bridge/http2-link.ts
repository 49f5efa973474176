import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import { COMPLETE } from '../http1/field-scanner.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { UpstreamAttempt } from '../http2/connection/attempt-stream.js';
import { OutgoingQueue } from '../http2/connection/outgoing-queue.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import { ErrorCode } from '../http2/error-codes.js';
import { summarize } from '../http2/field-summary.js';
import type { TurnTask } from '../http2/frames/output-pool.js';
import type { HeaderBlock } from '../http2/hpack/header-block.js';
import type { TunnelEnd, UpstreamLink } from '../upstream/upstream-link.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';
import { renderAnswer, renderInterim, renderSwitch, type AnswerFraming } from './answer-text.js';
import { asChunk, asCopy } from './chunks.js';
import { lastChunk } from './field-lines.js';
import { NO_BYTES } from './pooled-attempt.js';
import { translateRequest, type BlockRequest } from './request-block.js';
import { RequestBody } from './request-body.js';
import { WEBSOCKET, webSocketAccept } from './websocket-handshake.js';

const HEAD_END = '\r\n\r\n';

/**
 * A request of HTTP/1 to an instance that speaks HTTP/2: looks like a connection to the exchange, and is a stream underneath. What is
 * written is translated to a block and DATA, and the answer is written out as HTTP/1 has it and read with the scanner for answers, so
 * that nothing reaches a client which an instance of HTTP/1 could not have sent.
 */
export class Http2Link implements UpstreamLink, AnswerReceiver, TurnTask {
  user: UpstreamUser | undefined;
  #attempt: UpstreamAttempt | undefined = undefined;
  #request: BlockRequest | undefined = undefined;
  #body: RequestBody | undefined = undefined;
  #tunnel: TunnelEnd | undefined = undefined;
  #framing: AnswerFraming = 'none';
  /** Bytes of the answer that are still to come, where their number is known. */
  #missing = 0;
  #answerDone = false;
  /** The stream is over, or nobody wants it any more. */
  #isOver = false;
  #isPaused = false;
  /** Bytes that have come while the user was paused. */
  #unconsumed = 0;
  /** What they are; pieces share buffers, because a write for each costs a hundred times a frame of one byte. */
  #held: OutgoingQueue | undefined = undefined;
  #wantsDrain = false;

  constructor(
    private readonly env: Environment,
    private readonly endpoint: Endpoint,
    user: UpstreamUser,
  ) {
    this.user = user;
  }

  // === writing

  get backlog(): number {
    return this.#attempt === undefined ? 0 : this.#attempt.queuedBytes;
  }

  write(text: string): void {
    const headEnd = text.indexOf(HEAD_END) + HEAD_END.length;
    this.#begin(text.slice(0, headEnd));
    if (headEnd < text.length) this.writeBody(Buffer.from(text.slice(headEnd), 'latin1'));
  }

  writeHeadAndBody(head: string, body: Buffer): void {
    this.#begin(head);
    this.writeBody(body);
  }

  writeBody(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#tunnel !== undefined) this.#attempt?.data(bytes, 0, bytes.length, false);
    else if (this.#body?.take(bytes) === false) {
      this.#fail('MESH_ERR_BAD_REQUEST', 'The body of the request is not framed as its head says', ErrorCode.cancel);
    }
  }

  notifyWhenDrained(): void {
    this.#wantsDrain = true;
    if (this.backlog === 0) this.env.outputPool.beforeFlush(this);
  }

  /** Everything had left already when the notice was asked for: it comes later all the same, never within the question. */
  onTurnEnd(): void {
    this.#drained();
  }

  endWriting(): void {
    if (!this.#isOver) this.#attempt?.data(NO_BYTES, 0, 0, true);
  }

  // === reading

  pin(): void {
    // what is given out is a copy
  }

  pause(): void {
    this.#isPaused = true;
  }

  resumeDrained(): void {
    this.#isPaused = false;
    const bytes = this.#unconsumed;
    this.#unconsumed = 0;
    this.#giveHeld();
    if (bytes > 0) this.#attempt?.consumed(bytes);
  }

  // === the end

  becomeTunnel(tunnel: TunnelEnd): void {
    this.user = undefined;
    this.#tunnel = tunnel;
  }

  finish(): void {
    this.#release(ErrorCode.noError);
  }

  discard(): void {
    this.#release(ErrorCode.cancel);
  }

  abandon(): void {
    this.#release(ErrorCode.cancel);
  }

  destroy(): void {
    this.#release(this.#answerDone ? ErrorCode.noError : ErrorCode.cancel);
  }

  destroySoon(): void {
    this.endWriting();
    // What is queued still leaves; a stream whose both sides have ended closes by itself.
    this.user = undefined;
    this.#tunnel = undefined;
    if (this.#answerDone) this.#isOver = true;
    else this.#release(ErrorCode.cancel);
  }

  reset(): void {
    this.#release(ErrorCode.cancel);
  }

  // === what the stream says

  onRequestBegun(): void {
    // the exchange has begun to wait for the answer with its own write
  }

  onReached(endpoint: Endpoint): void {
    this.user?.onReached(endpoint);
  }

  onRequestSent(): void {
    if (this.#wantsDrain && this.backlog === 0) this.#drained();
  }

  onInterimAnswer(block: HeaderBlock): void {
    const { user } = this;
    if (user === undefined || this.#isOver) return;
    const buffer = Buffer.from(renderInterim(block), 'latin1');
    const scan = this.#scan(buffer);
    if (scan !== undefined) user.onInformational(scan, buffer, 0);
  }

  onAnswerHead(block: HeaderBlock, endStream: boolean): void {
    const { user } = this;
    const key = this.#request?.webSocketKey;
    if (user === undefined || this.#isOver) return;
    if (key !== undefined && summarize(block).status.charCodeAt(0) === TWO) {
      this.#switch(user, block, key, endStream);
      return;
    }
    const answer = renderAnswer(block, endStream, user.isHead, user.dechunk);
    this.#framing = answer.framing;
    this.#missing = answer.contentLength;
    if (endStream && this.#missing > 0) {
      this.#failMalformed('announced a body and sent none');
      return;
    }
    const buffer = Buffer.from(answer.text, 'latin1');
    const scan = this.#scan(buffer);
    if (scan === undefined) return;
    this.#answerDone = endStream;
    user.onResponseHead(scan, buffer, 0, scan.end, endStream, answer.framing === 'close');
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const bytes = end - start;
    if (this.#isOver) {
      if (bytes > 0) this.#attempt?.consumed(bytes);
      return;
    }
    if (this.#isPaused) {
      const held = (this.#held ??= new OutgoingQueue());
      held.add(buffer, start, end);
      held.isEnded = endStream;
      this.#unconsumed += bytes;
      return;
    }
    this.#give(buffer, start, end, endStream);
    if (bytes > 0) this.#attempt?.consumed(bytes);
  }

  onAnswerTrailers(block: HeaderBlock): void {
    if (this.#held !== undefined) {
      this.#held.isEnded = true;
      this.#held.trailers = block;
      return;
    }
    this.#answerDone = true;
    const { user } = this;
    if (this.#isOver) return;
    if (this.#tunnel !== undefined) this.#tunnel.onUpstreamEnd();
    else if (user !== undefined) {
      if (this.#framing === 'chunked') {
        const text = Buffer.from(lastChunk(block), 'latin1');
        user.onResponseBody(text, 0, text.length);
      }
      this.#end(user);
    }
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    this.#giveHeld();
    if (this.#isOver) return;
    const { user } = this;
    const tunnel = this.#tunnel;
    this.#isOver = true;
    this.user = undefined;
    this.#tunnel = undefined;
    if (tunnel !== undefined) tunnel.onUpstreamClosed(resetCode !== ErrorCode.noError);
    else if (this.#answerDone) user?.onUpstreamClosedEarly();
    else user?.onAttemptFailed(failure);
  }

  // === inside

  #give(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (endStream) this.#answerDone = true;
    if (this.#tunnel !== undefined) this.#tunnelData(this.#tunnel, buffer, start, end, endStream);
    else if (this.user !== undefined) this.#bodyData(this.user, buffer, start, end, endStream);
  }

  /** Gives out what has come while the user was paused, all of it: the window of the stream bounds it. */
  #giveHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    const { isEnded, trailers } = held;
    const endsWithData = isEnded && trailers === undefined;
    if (endsWithData && held.bytes === 0) this.#give(NO_BYTES, 0, 0, true);
    for (let piece = held.first; piece !== undefined && !this.#isOver; piece = held.first) {
      const { at, firstEnd } = held;
      this.#give(piece, at, firstEnd, endsWithData && held.bytes === firstEnd - at);
      held.advance(firstEnd - at);
    }
    if (trailers !== undefined) this.onAnswerTrailers(trailers);
  }

  #begin(head: string): void {
    const { env, endpoint } = this;
    const request = (this.#request = translateRequest(head, endpoint.key));
    if (request.isGrpc) {
      this.#refuse(new Rejection('MESH_ERR_NOT_IMPLEMENTED', 'gRPC needs HTTP/2 from the client on'));
      return;
    }
    const { block, endsWithHead } = request;
    const opened = env.streamPools.of(endpoint).open(this, { block, edits: undefined, added: undefined }, endsWithHead);
    if (opened instanceof Rejection) this.#refuse(opened);
    else if (this.#isOver) opened.cancel(ErrorCode.cancel);
    else {
      this.#attempt = opened;
      this.#body = new RequestBody(request, opened, env.options.maxTrailerBytes);
    }
  }

  #refuse(rejection: Rejection): void {
    const { user } = this;
    this.#isOver = true;
    this.user = undefined;
    user?.onRefused(rejection);
  }

  #switch(user: UpstreamUser, block: HeaderBlock, key: string, endStream: boolean): void {
    const text = renderSwitch(block, WEBSOCKET, webSocketAccept(key));
    const buffer = Buffer.from(text, 'latin1');
    const scan = this.#scan(buffer);
    if (scan === undefined) return;
    user.onUpgraded(buffer, 0, scan.end, buffer.length);
    if (!endStream) return;
    this.#answerDone = true;
    this.#tunnel?.onUpstreamEnd();
  }

  #tunnelData(tunnel: TunnelEnd, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (end > start) tunnel.onUpstreamBytes(asCopy(buffer, start, end), 0, end - start);
    if (endStream) tunnel.onUpstreamEnd();
  }

  #bodyData(user: UpstreamUser, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const bytes = end - start;
    if (this.#framing === 'chunked') {
      const chunk = asChunk(buffer, start, end, endStream);
      if (chunk.length > 0) user.onResponseBody(chunk, 0, chunk.length);
    } else {
      // A body that is longer than announced would be the beginning of the next answer.
      if (this.#framing !== 'close') this.#missing -= bytes;
      if (this.#missing < 0 && this.#framing !== 'close') {
        this.#failMalformed('sent more than it had announced');
        return;
      }
      if (bytes > 0) user.onResponseBody(asCopy(buffer, start, end), 0, bytes);
    }
    if (endStream) this.#end(user);
  }

  #end(user: UpstreamUser): void {
    if (this.#isOver) return;
    if (this.#framing === 'length' && this.#missing > 0) this.#failMalformed('sent less than it had announced');
    else user.onResponseEnd();
  }

  /** @returns undefined when HTTP/1 would not allow such a head; the attempt has failed */
  #scan(buffer: Buffer): ResponseScanner | undefined {
    const { responseScanner } = this.env;
    if (responseScanner.scanResponse(buffer, 0, buffer.length) === COMPLETE) return responseScanner;
    this.#failMalformed(`sent an answer that HTTP/1 cannot carry: ${responseScanner.problem}`);
    return undefined;
  }

  #failMalformed(problem: string): void {
    this.env.stats.malformedResponses++;
    this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key} ${problem}`, ErrorCode.protocolError);
  }

  #fail(code: AttemptFailure['code'], message: string, resetCode: number): void {
    const { user } = this;
    this.#answerDone = false;
    this.#release(resetCode);
    user?.onAttemptFailed({ code, message, sent: true, reusedConnection: false });
  }

  #drained(): void {
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    if (this.#tunnel !== undefined) this.#tunnel.onUpstreamDrained();
    else this.user?.onUpstreamDrained();
  }

  #release(code: number): void {
    this.user = undefined;
    this.#tunnel = undefined;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = undefined;
    const isComplete = this.#answerDone && this.#body?.isDone === true;
    if (!isComplete) this.#attempt?.cancel(code);
  }
}

/** `2`, the first digit of statuses that mean success. */
const TWO = 50;

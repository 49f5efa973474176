import type { AttemptFailure, Endpoint, ErrorCode as FailureCode, Rejection } from '@mesher/core';
import type { Environment } from '../environment.js';
import { notSent } from '../exchange/timed-call.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { UpstreamAttempt } from '../http2/connection/attempt-stream.js';
import { OutgoingQueue } from '../http2/connection/outgoing-queue.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import { ErrorCode } from '../http2/error-codes.js';
import type { HeaderBlock } from '../http2/hpack/header-block.js';
import type { UpstreamLink, WaitingLine } from '../upstream/upstream-link.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';

/**
 * An attempt of an HTTP/2 call over a connection of HTTP/1: gets one from the pool, keeps what comes of the body until it may be
 * sent, and lets neither side send more than the other one takes. What is sent and what comes back is the business of subclasses.
 */
export abstract class PooledAttempt implements UpstreamAttempt, UpstreamUser {
  abstract readonly isHead: boolean;
  abstract readonly upgrade: string | undefined;
  readonly dechunk = true;
  isBegun = false;
  /** The connection, once it is known which one it will be. */
  protected link: UpstreamLink | undefined = undefined;
  /** Nothing more is told to the receiver, and nothing more is sent. */
  protected isOver = false;
  #line: WaitingLine | undefined = undefined;
  /** What of the body may not be sent yet: there is no connection, or its socket takes nothing. Undefined when there is none of it. */
  #queue: OutgoingQueue | undefined = undefined;
  #isOpen = false;
  /** `begin` has not returned. */
  #isBeginning = true;
  #refusal: Rejection | undefined = undefined;
  /** Bytes of the body that the connection has taken, but not the socket. */
  #unsent = 0;
  #isAwaitingDrain = false;
  /** Bytes of the answer that the client has not taken. */
  #held = 0;
  #isPaused = false;

  constructor(
    protected readonly receiver: AnswerReceiver,
    protected readonly endpoint: Endpoint,
    protected readonly env: Environment,
  ) {}

  /** Asks for a connection. @param fresh a new one */
  begin(fresh: boolean): UpstreamAttempt | Rejection {
    this.env.pools.of(this.endpoint).acquire(this, fresh);
    this.#isBeginning = false;
    return this.#refusal ?? this;
  }

  // === what subclasses do

  /** The connection is there: sends the head. */
  protected abstract connected(link: UpstreamLink): void;
  /** Sends a piece of the body, from a buffer that is overwritten afterwards. */
  protected abstract send(link: UpstreamLink, buffer: Buffer, start: number, end: number, endStream: boolean): void;
  protected abstract sendTrailers(link: UpstreamLink, block: HeaderBlock): void;
  /** The attempt is given up; lets go of the connection. */
  protected abstract drop(link: UpstreamLink, code: number): void;

  abstract onInformational(scan: ResponseScanner, buffer: Buffer, start: number): void;
  abstract onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void;
  abstract onResponseBody(buffer: Buffer, start: number, end: number): void;
  abstract onResponseEnd(): void;
  abstract onUpgraded(buffer: Buffer, start: number, headEnd: number, end: number): void;

  // === what the exchange says

  get queuedBytes(): number {
    const waiting = this.#queue === undefined ? 0 : this.#queue.bytes;
    return waiting + (this.#isOpen && this.link !== undefined ? this.link.backlog : 0);
  }

  get isConnecting(): boolean {
    return !this.#isOpen && this.link !== undefined;
  }

  data(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.isOver) return;
    const { link } = this;
    const isOpen = this.#isOpen && link !== undefined;
    // Behind what the socket has not taken, pieces share buffers: a write for each would cost a hundred times a frame of one byte.
    if (isOpen && this.#queue === undefined && (end === start || link.backlog === 0)) {
      this.send(link, buffer, start, end, endStream);
      this.#wasSent(link, end - start);
      return;
    }
    const queue = (this.#queue ??= new OutgoingQueue());
    queue.add(buffer, start, end);
    queue.isEnded = endStream;
    if (isOpen) this.#awaitDrain(link);
  }

  trailers(block: HeaderBlock): void {
    if (this.isOver) return;
    const { link } = this;
    if (this.#isOpen && link !== undefined && this.#queue === undefined) this.sendTrailers(link, block);
    else {
      const queue = (this.#queue ??= new OutgoingQueue());
      queue.isEnded = true;
      queue.trailers = block;
    }
  }

  consumed(bytes: number): void {
    this.#held -= bytes;
    if (!this.#isPaused || this.#held > this.env.options.http2.streamWindow / 2) return;
    this.#isPaused = false;
    this.link?.resumeDrained();
  }

  cancel(code: number): void {
    if (this.isOver) return;
    const { link } = this;
    this.isOver = true;
    this.link = undefined;
    this.#queue = undefined;
    this.#line?.leave(this);
    this.#line = undefined;
    if (link !== undefined) this.drop(link, code);
  }

  // === what the pool says

  onConnecting(link: UpstreamLink): void {
    this.link = link;
    this.#line = undefined;
  }

  onWaiting(line: WaitingLine): void {
    this.#line = line;
  }

  onRefused(rejection: Rejection): void {
    this.isOver = true;
    if (this.#isBeginning) this.#refusal = rejection;
    else this.receiver.onAttemptFailed(notSent(rejection), ErrorCode.refusedStream);
  }

  onReached(endpoint: Endpoint): void {
    this.receiver.onReached(endpoint);
  }

  onConnection(link: UpstreamLink): void {
    this.link = link;
    this.#line = undefined;
    this.isBegun = true;
    if (!this.#isBeginning) this.receiver.onRequestBegun();
    if (!this.isOver) this.connected(link);
  }

  // === what the connection says

  onUpstreamDrained(): void {
    this.#isAwaitingDrain = false;
    const bytes = this.#unsent;
    this.#unsent = 0;
    if (bytes > 0 && !this.isOver) this.receiver.onRequestSent(bytes);
    const { link } = this;
    if (this.#isOpen && link !== undefined && !this.isOver) this.open(link);
  }

  onAttemptFailed(failure: AttemptFailure): void {
    if (this.isOver) return;
    this.isOver = true;
    this.link = undefined;
    this.receiver.onAttemptFailed(failure, ErrorCode.internalError);
  }

  onUpstreamClosedEarly(): void {
    // The receiver has all of the answer, and has nothing to say to the instance any more.
    this.isOver = true;
    this.link = undefined;
  }

  // === for subclasses

  /** From here on the body leaves as it comes; what has come until now leaves at once. */
  protected open(link: UpstreamLink): void {
    this.#isOpen = true;
    const queue = this.#queue;
    this.#queue = undefined;
    if (queue === undefined) return;
    const { isEnded, trailers, bytes } = queue;
    const endsWithData = isEnded && trailers === undefined;
    for (let piece = queue.first; piece !== undefined; piece = queue.first) {
      const { at, firstEnd } = queue;
      const isLast = queue.bytes === firstEnd - at;
      this.send(link, piece, at, firstEnd, endsWithData && isLast);
      queue.advance(firstEnd - at);
      if (this.isOver) return;
    }
    if (trailers !== undefined) this.sendTrailers(link, trailers);
    else if (isEnded && bytes === 0) this.send(link, NO_BYTES, 0, 0, true);
    if (bytes > 0) this.#wasSent(link, bytes);
  }

  /** Gives bytes of the answer to the receiver, and reads no more while too much of them waits for the client. */
  protected give(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#held += end - start;
    this.receiver.onAnswerData(buffer, start, end, endStream);
    if (this.#held <= this.env.options.http2.streamWindow || this.link === undefined || this.#isPaused) return;
    this.#isPaused = true;
    this.link.pause();
  }

  /** The instance breaks a rule: the attempt has failed. */
  protected failMalformed(problem: string): void {
    this.env.stats.malformedResponses++;
    this.fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key} ${problem}`);
  }

  /** The connection is of no use, and the attempt has failed. */
  protected fail(code: FailureCode, message: string): void {
    if (this.isOver) return;
    const { link } = this;
    this.isOver = true;
    this.link = undefined;
    link?.destroy();
    this.receiver.onAttemptFailed({ code, message, sent: true, reusedConnection: false }, ErrorCode.internalError);
  }

  #wasSent(link: UpstreamLink, bytes: number): void {
    if (this.isOver || bytes === 0) return;
    if (this.#unsent === 0 && link.backlog <= this.env.options.writeBufferBytes) {
      this.receiver.onRequestSent(bytes);
      return;
    }
    this.#awaitDrain(link);
    this.#unsent += bytes;
  }

  /** One notice is enough: it comes when everything written until then has left. */
  #awaitDrain(link: UpstreamLink): void {
    if (this.#isAwaitingDrain) return;
    this.#isAwaitingDrain = true;
    link.notifyWhenDrained();
  }
}

export const NO_BYTES: Buffer = Buffer.alloc(0);

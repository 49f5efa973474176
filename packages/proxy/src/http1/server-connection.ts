import type { Socket } from 'node:net';
import {
  Rejection,
  type CallHandler,
  type Destination,
  type ErrorCode,
  type SourceIdentity,
  type SourceResolver,
} from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { endedByReset, notifyWhenDrained, resetSocket, type SocketOwner } from '../socket-owner.js';
import { Exchange } from './exchange.js';
import type { FieldName } from './field-lookup.js';
import { Http1Call, type PeerConnection } from './http1-call.js';
import { renderLocalReply } from './local-reply.js';
import { RequestReader, type RequestSink } from './request-reader.js';
import type { RequestScanner } from './request-scanner.js';
import { asksForH2c, plainAddress, renderServerTiming } from './server-fields.js';
import type { Tunnel } from './tunnel.js';

/** What a listener tells the connections that it accepts. */
export interface ServerContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  /** True while the listener drains: each answer is the last one of its connection. */
  readonly draining: boolean;
  /** Service that every call of this listener is for, whatever the host name says. */
  readonly destination: Destination | undefined;
  closed(connection: ServerConnection): void;
}

/** The accepted side of HTTP/1: one client's connection from its first request to its close. */
export class ServerConnection extends Deadline implements SocketOwner, PeerConnection, RequestSink {
  readonly remoteAddress: string;
  /** The exchange that is under way. */
  exchange: Exchange | undefined;
  readonly #reader: RequestReader;
  #tunnel: Tunnel | undefined;
  /** The answer that is under way is the last one. */
  #close = false;
  #paused = false;
  /** The deadline of the request head runs. */
  #partialHead = false;
  /** The last answer has been written; nothing more is read. */
  #closing = false;
  /** The client may still be sending what nobody will read. */
  #lingering = false;
  /** The client has ended its side. */
  #clientEnded = false;
  /** Whether a client that has ended its side still reads is not known: nothing has been written since. */
  #doubtful = false;
  #wroteInDoubt = false;
  /** Bytes that were waiting when the idle deadline passed. */
  #stuckBytes = 0;
  #failed = false;
  #gone = false;

  constructor(
    private readonly socket: Socket,
    private readonly context: ServerContext,
    private readonly env: Environment,
  ) {
    super();
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.#reader = new RequestReader(this, env);
  }

  get closesAfterResponse(): boolean {
    return this.#close;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get isReading(): boolean {
    return !this.#gone && !this.#closing;
  }

  identify(call: Http1Call): SourceIdentity | undefined {
    for (const resolver of this.context.sources) {
      const source = resolver.identify(call);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  fieldName(lowerCase: string): FieldName {
    return this.env.fieldName(lowerCase);
  }

  // === what the socket says

  onData(chunk: Buffer): void {
    if (this.#closing) return;
    if (this.#tunnel !== undefined) this.#tunnel.onClientBytes(chunk);
    else this.#reader.take(chunk);
  }

  onDrain(): void {
    // What was written since has asked for a notice of its own.
    if (this.socket.writableLength !== 0) return;
    if (this.#tunnel !== undefined) this.#tunnel.onClientDrained();
    else this.exchange?.onClientDrained();
  }

  onEnd(): void {
    this.#clientEnded = true;
    const { exchange } = this;
    if ((this.#tunnel !== undefined || exchange !== undefined) && endedByReset(this.socket)) return;
    if (this.#tunnel !== undefined) this.#tunnel.onClientEnd();
    else if (this.#closing) this.#closeIfFlushed();
    else if (exchange === undefined) this.#closeIdle();
    else if (!exchange.requestDone) this.destroy();
    else {
      // It may still read (half-close), or be gone. The next write would show it; when nothing is written for a moment, gone is
      // assumed.
      if (!this.#reader.holdsBytes) this.#close = true;
      this.#wroteInDoubt = false;
      this.env.deadlines.arm(this, this.env.options.halfCloseGrace);
      this.#doubtful = true;
    }
  }

  onError(_error: Error): void {
    // 'close' follows.
    this.#failed = true;
  }

  onClose(): void {
    this.destroy();
  }

  override onDeadline(): void {
    const { exchange } = this;
    if (this.#closing) {
      if (this.socket.writableLength === 0) this.destroy();
      else this.breakOff();
    } else if (this.#tunnel !== undefined) this.#tunnel.onTimeout();
    else if (exchange === undefined) this.#onIdleDeadline();
    else if (!this.#doubtful) exchange.onTimeout();
    else if (this.#wroteInDoubt) {
      // It takes what we write: a true half-close. From here on the usual timeouts hold.
      this.#doubtful = false;
      this.arm(this.env.options.responseIdleTimeout);
    } else this.destroy();
  }

  // === what the reader says

  onPartialHead(): void {
    // One deadline for the whole head, however often a piece of it comes.
    if (this.#partialHead) return;
    this.#partialHead = true;
    this.env.deadlines.arm(this, this.env.options.headTimeout);
  }

  openExchange(buffer: Buffer, scan: RequestScanner, bodyEnd: number, requestDone: boolean): void {
    const bodyStart = scan.end;
    // Only a request of HTTP/1.1 without a body may ask for another protocol; h2c is not offered (RFC 9113 has dropped it).
    if (
      scan.connectionUpgrade &&
      (scan.chunked || scan.contentLength > 0 || scan.minorVersion === 0 || asksForH2c(buffer, scan))
    ) {
      scan.connectionUpgrade = false;
    }
    this.#close =
      scan.close ||
      (scan.minorVersion === 0 && !scan.keepAlive) ||
      (this.#clientEnded && bodyEnd === buffer.length) ||
      this.context.draining;
    this.#partialHead = false;
    this.env.deadlines.disarm(this);
    const call = new Http1Call(this.context.handler.direction, this, buffer, scan);
    call.startedAt = this.env.now();
    call.destination = this.context.destination;
    this.env.forwarding.apply(call);
    const exchange = new Exchange(call, this, this.context.handler, this.env);
    this.exchange = exchange;
    exchange.start(bodyEnd > bodyStart ? buffer.subarray(bodyStart, bodyEnd) : undefined, requestDone);
  }

  /** Answers what is not a request and closes; nothing of it is forwarded. */
  refuse(code: ErrorCode, message: string): void {
    this.env.stats.malformedRequests++;
    this.#answerLast(new Rejection(code, message));
  }

  onExhausted(): void {
    // Nothing can complete a request whose client has ended its side.
    if (!this.#clientEnded || !this.isReading) return;
    if (this.exchange === undefined) this.#closeGently(false);
    else if (!this.exchange.requestDone) this.destroy();
  }

  // === what the exchange asks for

  arm(delayMs: number): void {
    // The doubt about a client that has ended its side is settled first.
    if (!this.#doubtful) this.env.deadlines.arm(this, delayMs);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** @returns false while some of it waits for the client to read */
  write(text: string): boolean {
    this.#wroteInDoubt = true;
    this.socket.write(text, 'latin1');
    return this.socket.writableLength === 0;
  }

  writeHeadAndBody(head: string, body: Buffer): boolean {
    this.#wroteInDoubt = true;
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
    return this.socket.writableLength === 0;
  }

  writeBytes(bytes: Buffer): boolean {
    this.#wroteInDoubt = true;
    this.socket.write(bytes);
    return this.socket.writableLength === 0;
  }

  notifyWhenDrained(): void {
    notifyWhenDrained(this.socket, this);
  }

  closeAfterResponse(): void {
    this.#close = true;
  }

  /** The fields of this hop for the answer. */
  responseFields(call: Http1Call, upstreamMinorVersion: number): string {
    if (this.context.draining) this.#close = true;
    let fields = this.#close ? 'Connection: close\r\n' : call.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
    if (this.env.options.serverTiming) fields += renderServerTiming(call, this.env.now());
    return fields + this.env.forwarding.responseField(upstreamMinorVersion);
  }

  /** The exchange is over and its answer has been written. */
  finished(requestDone: boolean): void {
    this.exchange = undefined;
    if (this.#gone) return;
    this.#doubtful = false;
    if (this.#close || !requestDone || this.context.draining) {
      this.#closeGently(!requestDone || this.#reader.holdsBytes);
      return;
    }
    this.#stuckBytes = 0;
    this.env.deadlines.arm(this, this.env.options.keepAliveTimeout);
    this.resume();
    this.#reader.next();
  }

  becomeTunnel(tunnel: Tunnel): void {
    this.exchange = undefined;
    this.#tunnel = tunnel;
    this.#doubtful = false;
    this.arm(this.env.options.tunnelIdleTimeout);
    this.resume();
    const early = this.#reader.release();
    if (early !== undefined) tunnel.onClientBytes(early);
    if (this.#clientEnded) tunnel.onClientEnd();
  }

  /** Ends our side and keeps reading. */
  endWriting(): void {
    this.socket.end();
  }

  /** Closes once everything written has left; what the client still sends is of no interest. */
  destroySoon(): void {
    this.#tunnel = undefined;
    if (this.socket.writableLength === 0) this.destroy();
    else this.#flush(false, this.env.options.tunnelIdleTimeout);
  }

  /** Ends the connection so that the client cannot take the answer for complete. */
  breakOff(): void {
    resetSocket(this.socket);
    this.destroy();
  }

  /** Ends the connection if it is between two requests; otherwise the present answer will be its last. */
  drain(): void {
    this.#close = true;
    const isIdle = this.exchange === undefined && this.#tunnel === undefined && !this.#reader.holdsBytes;
    if (isIdle && !this.#closing) this.#closeIdle();
  }

  destroy(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.env.deadlines.remove(this);
    const { exchange } = this;
    const tunnel = this.#tunnel;
    this.exchange = undefined;
    this.#tunnel = undefined;
    exchange?.abort();
    tunnel?.onClientClosed(this.#failed);
    this.socket.destroy();
    this.context.closed(this);
  }

  // === closing

  #onIdleDeadline(): void {
    const { writableLength } = this.socket;
    if (this.#partialHead) {
      const { headTimeout } = this.env.options;
      this.env.stats.timeouts++;
      this.#answerLast(
        new Rejection('MESH_ERR_REQUEST_TIMEOUT', `The head of the request was not complete after ${headTimeout} ms`),
      );
    } else if (writableLength > 0 && writableLength === this.#stuckBytes) this.breakOff();
    else if (writableLength > 0) {
      // The client is slow to read the last answer; it has as long again to take some of it.
      this.#stuckBytes = writableLength;
      this.env.deadlines.arm(this, this.env.options.keepAliveTimeout);
    } else this.destroy();
  }

  /** Answers a request that cannot be read, and closes. */
  #answerLast(rejection: Rejection): void {
    this.#close = true;
    const context = { service: undefined, requestId: undefined, plainText: false, headOnly: false, close: true };
    this.write(renderLocalReply(rejection, context));
    this.#closeGently(true);
  }

  #closeIdle(): void {
    if (this.socket.writableLength === 0) this.destroy();
    else this.#closeGently(false);
  }

  /**
   * Closes after the last answer.
   * @param linger the client may still be sending: the connection is read to its end for a moment, because closing it with
   * unread bytes would reset it, and the reset may overtake the answer (RFC 9112, 9.6)
   */
  #closeGently(linger: boolean): void {
    if (linger || this.socket.writableLength > 0) this.#flush(linger, this.env.options.responseIdleTimeout);
    else {
      this.#closing = true;
      this.#reader.release();
      this.socket.destroySoon();
    }
  }

  /** Sends what is queued, then the end; what comes is thrown away. */
  #flush(linger: boolean, patience: number): void {
    this.#closing = true;
    this.#lingering = linger;
    this.#reader.release();
    this.resume();
    this.env.deadlines.arm(this, patience);
    this.socket.end(() => this.#closeIfFlushed());
  }

  #closeIfFlushed(): void {
    if (this.#gone || !this.socket.writableFinished) return;
    if (this.#lingering && !this.#clientEnded) this.env.deadlines.arm(this, this.env.options.lingerTimeout);
    else this.destroy();
  }
}

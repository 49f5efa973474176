import type { Socket } from 'node:net';
import {
  Rejection,
  type CallHandler,
  type Destination,
  type ErrorCode,
  type SourceIdentity,
  type SourceResolver,
} from '@mesher/core';
import type { Environment } from '../environment.js';
import { endedByReset, repeatEnd } from '../socket-owner.js';
import { ClientSocket } from './client-socket.js';
import { Exchange, TUNNEL_GRANTED } from './exchange.js';
import type { FieldName } from './field-lookup.js';
import { asksForH2c, readH2cUpgrade, SWITCHED_TO_H2C, type H2cUpgrade } from './h2c-upgrade.js';
import { Http1Call, type PeerConnection } from './http1-call.js';
import { renderLastReply } from './local-reply.js';
import { isGrpcAgent, PromisedTunnel, type PromiseGiver } from './promised-tunnel.js';
import { RequestReader, type RequestSink } from './request-reader.js';
import type { RequestScanner } from './request-scanner.js';
import { plainAddress, serverTiming } from './server-fields.js';
import type { TunnelClient } from './tunnel.js';

/** What a listener tells the connections that it accepts. */
export interface ServerContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  /** True while the listener drains: each answer is the last one of its connection. */
  readonly draining: boolean;
  /** Service that every call of this listener is for, whatever the host name says. */
  readonly destination: Destination | undefined;
  /** Clients that ask for a tunnel here are taken for clients of gRPC, who will speak HTTP/2 in it. */
  readonly isForGrpc: boolean;
  /** Neither requests nor answers get fields that tell of this hop, or lose any. */
  readonly isTransparent: boolean;
  closed(connection: ServerConnection): void;
  /**
   * A connection speaks HTTP/2 from here on, and is no longer its former owner's.
   * @param upgrade the request that asked for it; undefined when the client just speaks it
   * @param early what has come of it
   */
  switchToHttp2(socket: Socket, upgrade: H2cUpgrade | undefined, early: Buffer): void;
}

/** The accepted side of HTTP/1: one client's connection, and one exchange after another on it. */
export class ServerConnection extends ClientSocket implements PeerConnection, RequestSink, PromiseGiver {
  readonly remoteAddress: string;
  /** The exchange that is under way. */
  exchange: Exchange | undefined;
  readonly #reader: RequestReader;
  #tunnel: TunnelClient | undefined;
  /** The request for a tunnel that was granted and has not begun. */
  #promised: Exchange | undefined;
  /** The answer that is under way is the last one. */
  #close = false;
  /** The deadline of the request head runs. */
  #partialHead = false;

  constructor(
    socket: Socket,
    private readonly context: ServerContext,
    env: Environment,
  ) {
    super(socket, env);
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.#reader = new RequestReader(this, env);
  }

  get closesAfterResponse(): boolean {
    return this.#close;
  }

  get isReading(): boolean {
    return !this.gone && !this.closing && this.#tunnel === undefined;
  }

  get isTransparent(): boolean {
    return this.context.isTransparent;
  }

  get isDraining(): boolean {
    return this.context.draining;
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
    if (this.closing) return;
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
    const { exchange } = this;
    if ((this.#tunnel !== undefined || exchange !== undefined) && endedByReset(this.socket)) return;
    this.clientEnded = true;
    if (this.#tunnel !== undefined) this.#tunnel.onClientEnd();
    else if (this.closing) this.closeIfFlushed();
    else if (exchange === undefined) this.#closeIdle();
    else if (!exchange.requestDone) this.destroy();
    else {
      if (!this.#reader.holdsBytes) this.#close = true;
      this.beginDoubt(exchange.dueAt);
    }
  }

  override onDeadline(): void {
    const { exchange } = this;
    if (this.closing) this.onClosingDeadline();
    else if (this.#tunnel !== undefined) this.#tunnel.onTimeout();
    else if (exchange === undefined) this.#onIdleDeadline();
    else if (!this.isDoubtOver()) exchange.onTimeout();
    else if (this.wrote) {
      // It takes what we write: a true half-close. From here on the usual timeouts hold.
      this.endDoubt();
      this.arm(this.env.options.responseIdleTimeout, exchange.dueAt);
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
    // Only a request without a body may ask for another protocol.
    if (scan.connectionUpgrade && (scan.chunked || scan.contentLength > 0)) scan.connectionUpgrade = false;
    if (scan.connectionUpgrade && asksForH2c(buffer, scan)) {
      scan.connectionUpgrade = false;
      if (this.#becomesHttp2(buffer, scan, bodyEnd)) return;
    }
    this.#close =
      scan.close ||
      (scan.minorVersion === 0 && !scan.keepAlive) ||
      (this.clientEnded && bodyEnd === buffer.length) ||
      this.context.draining;
    this.#partialHead = false;
    this.env.deadlines.disarm(this);
    const call = new Http1Call(this.context.handler.direction, this, buffer, scan);
    call.startedAt = this.env.now();
    call.destination = this.context.destination;
    if (!this.context.isTransparent) this.env.forwarding.apply(call, call.minorVersion === 1 ? '1.1' : '1.0');
    const exchange = new Exchange(call, this, this.context.handler, this.env);
    // Who speaks before it has an answer is not of gRPC.
    if (call.form === 'authority' && bodyStart === buffer.length && this.#isOfGrpc(call)) {
      this.#promiseTunnel(exchange);
      return;
    }
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
    if (!this.clientEnded || !this.isReading) return;
    if (this.exchange === undefined) this.closeGently(false);
    else if (!this.exchange.requestDone) this.destroy();
  }

  // === what the exchange asks for

  closeAfterResponse(): void {
    this.#close = true;
  }

  /** The fields of this hop for the answer. */
  responseFields(call: Http1Call, upstreamMinorVersion: number): string {
    if (this.context.draining) this.#close = true;
    let fields = this.#close ? 'Connection: close\r\n' : call.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
    if (this.context.isTransparent) return fields;
    if (this.env.options.serverTiming) fields += `Server-Timing: ${serverTiming(call, this.env.now())}\r\n`;
    const via = this.env.forwarding.via(upstreamMinorVersion === 1 ? '1.1' : '1.0');
    return via === undefined ? fields : `${fields}Via: ${via}\r\n`;
  }

  /** The exchange is over and its answer has been written. */
  finished(requestDone: boolean): void {
    this.exchange = undefined;
    if (this.gone) return;
    this.endDoubt();
    if (this.#close || !requestDone || this.context.draining) {
      this.closeGently(!requestDone || this.#reader.holdsBytes);
      return;
    }
    this.waitForNext();
    this.resume();
    this.#reader.next();
  }

  becomeTunnel(tunnel: TunnelClient): void {
    this.exchange = undefined;
    this.#tunnel = tunnel;
    this.endDoubt();
    this.arm(this.env.options.tunnelIdleTimeout);
    this.resume();
    const early = this.#reader.release();
    if (early !== undefined) tunnel.onClientBytes(early);
    if (this.clientEnded && this.#tunnel !== undefined) tunnel.onClientEnd();
  }

  /** The client of a tunnel speaks HTTP/2: its calls are served here, each by itself. @param early what has come of it */
  becomeHttp2(early: Buffer): void {
    this.#tunnel = undefined;
    this.#promised = undefined;
    this.resume();
    this.#handOver(undefined, early);
  }

  keepPromise(early: Buffer | undefined): void {
    const exchange = this.#promised;
    if (exchange === undefined) return;
    this.#promised = undefined;
    this.#tunnel = undefined;
    this.env.deadlines.disarm(this);
    exchange.isGranted = true;
    exchange.call.startedAt = this.env.now();
    this.exchange = exchange;
    exchange.start(undefined, true);
    if (early !== undefined) this.onData(early);
  }

  /** The present answer is the last one; a connection between two requests waits a moment for one that is on its way. */
  drain(): void {
    this.#close = true;
    const isIdle = this.exchange === undefined && this.#tunnel === undefined && !this.#reader.holdsBytes;
    if (isIdle && !this.closing) this.env.deadlines.arm(this, this.env.options.drainGrace);
  }

  // === inside

  override destroySoon(): void {
    this.#tunnel = undefined;
    super.destroySoon();
  }

  protected override closeGently(linger: boolean): void {
    this.#reader.release();
    super.closeGently(linger);
  }

  protected onGone(): void {
    const { exchange } = this;
    const tunnel = this.#tunnel;
    this.exchange = undefined;
    this.#tunnel = undefined;
    this.#promised = undefined;
    exchange?.abort();
    tunnel?.onClientClosed(this.failed);
    this.context.closed(this);
  }

  /** Calls of others have been decided about elsewhere, and only clients of the local application are told of a proxy. */
  #isOfGrpc(call: Http1Call): boolean {
    const { handler, isForGrpc } = this.context;
    return handler.direction === 'outbound' && (isForGrpc || isGrpcAgent(call.header('user-agent')));
  }

  #promiseTunnel(exchange: Exchange): void {
    this.#promised = exchange;
    this.#tunnel = new PromisedTunnel(this);
    this.write(TUNNEL_GRANTED);
    this.arm(this.env.options.detectTimeout);
  }

  /** @returns false when the request goes on as one of HTTP/1 */
  #becomesHttp2(buffer: Buffer, scan: RequestScanner, requestEnd: number): boolean {
    if (this.clientEnded || this.context.draining) return false;
    const call = new Http1Call(this.context.handler.direction, this, buffer, scan);
    const upgrade = readH2cUpgrade(buffer, scan, call);
    if (upgrade === undefined) return false;
    this.write(SWITCHED_TO_H2C);
    this.#handOver(upgrade, buffer.subarray(requestEnd));
    return true;
  }

  /** The socket is served as HTTP/2 from here on, by another owner. */
  #handOver(upgrade: H2cUpgrade | undefined, early: Buffer): void {
    const { context, socket } = this;
    this.gone = true;
    this.env.deadlines.remove(this);
    context.switchToHttp2(socket, upgrade, early);
    context.closed(this);
    if (this.clientEnded) repeatEnd(socket);
  }

  #onIdleDeadline(): void {
    if (this.#partialHead) {
      const { headTimeout } = this.env.options;
      this.env.stats.timeouts++;
      this.#answerLast(
        new Rejection('MESH_ERR_REQUEST_TIMEOUT', `The head of the request was not complete after ${headTimeout} ms`),
      );
    } else if (this.context.draining && this.socket.writableLength > 0) this.closeGently(false);
    else this.onIdleTooLong();
  }

  /** Answers a request that cannot be read, and closes. */
  #answerLast(rejection: Rejection): void {
    this.#close = true;
    this.write(renderLastReply(rejection));
    this.closeGently(true);
  }

  #closeIdle(): void {
    if (this.socket.writableLength === 0) this.destroy();
    else this.closeGently(false);
  }
}

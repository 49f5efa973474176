import type { AttemptFailure, Endpoint, ErrorCode } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import type { Exchange } from '../http1/exchange.js';
import type { Tunnel } from '../http1/tunnel.js';
import { endedByReset, notifyWhenDrained, own, resetSocket, type SocketOwner } from '../socket-owner.js';
import { describeConnectError } from './connect-error.js';
import type { EndpointPool } from './endpoint-pool.js';
import { ReadBuffer } from './read-buffer.js';
import { ResponseReader, type ResponseProgress } from './response-reader.js';
import { UpstreamSocket } from './upstream-socket.js';

const enum State {
  Connecting,
  Idle,
  AwaitHead,
  Body,
  /** The answer is complete, the request is still being sent. */
  Answered,
  Tunnel,
  /** Nobody needs the connection any more, but what was written still has to leave. */
  Flushing,
  Closed,
}

/**
 * One connection to an upstream. It belongs to one exchange from the request until the end of the response, to a tunnel for
 * good, and to the pool in between.
 */
export class UpstreamConnection extends Deadline implements SocketOwner, ResponseProgress {
  exchange: Exchange | undefined;
  /** True from the second exchange on: only then can an idle close race with a request. */
  reused = false;
  #tunnel: Tunnel | undefined;
  #state: State = State.Connecting;
  readonly #socket: UpstreamSocket;
  readonly #reader: ResponseReader;
  readonly #buffer: ReadBuffer;
  #reading = false;
  #paused = false;
  #failure: Error | undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly pool: EndpointPool,
    private readonly env: Environment,
  ) {
    super();
    this.#reader = new ResponseReader(this, env);
    this.#buffer = new ReadBuffer(env.readBuffers);
    env.stats.upstreamConnects++;
    env.stats.upstreamOpen++;
    // Given as a function, so that the buffer can be exchanged between two reads. Node calls it after each of them.
    this.#socket = new UpstreamSocket({
      buffer: () => this.#buffer.bytes,
      callback: (length) => this.#onRead(length),
    });
    own(this.#socket, this, false);
    this.#socket.once('connect', () => this.#onConnected());
    this.#socket.connect({ host: endpoint.host, port: endpoint.port });
    env.deadlines.arm(this, env.options.connectTimeout);
  }

  get isIdle(): boolean {
    return this.#state === State.Idle;
  }

  /** Bytes waiting for the upstream to read them. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** A new connection that nobody needs any more, or one whose exchange has ended, waits in the pool. */
  park(): void {
    this.#state = State.Idle;
    this.reused = true;
    this.env.deadlines.arm(this, this.#reader.idleLimit);
  }

  /** Takes the connection for an exchange. */
  begin(exchange: Exchange): void {
    this.exchange = exchange;
    this.#state = State.AwaitHead;
    this.env.deadlines.disarm(this);
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  writeHeadAndBody(head: string, body: Buffer): void {
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  writeBody(body: Buffer): void {
    this.#socket.write(body);
  }

  /** Asks for `onUpstreamDrained`. */
  notifyWhenDrained(): void {
    notifyWhenDrained(this.#socket, this);
  }

  /** The client's socket holds on to bytes of the read buffer. */
  pin(): void {
    this.#buffer.isPinned = true;
  }

  /** The client is not reading: reads no more of the answer until {@link resumeDrained}. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** The client has taken everything. */
  resumeDrained(): void {
    this.#buffer.isPinned = false;
    this.#resume();
  }

  /** From here on the bytes of this connection are no HTTP. */
  becomeTunnel(tunnel: Tunnel): void {
    this.exchange = undefined;
    this.#tunnel = tunnel;
    this.#state = State.Tunnel;
  }

  endWriting(): void {
    this.#socket.end();
  }

  /** Ends the exchange: back to the pool if the framing allows it, else closed. */
  finish(): void {
    this.exchange = undefined;
    const isUsable = this.#reader.keep && this.#state === State.Answered && !this.#socket.failing;
    // Another buffer for a pinned one can be had only while a read is under way.
    const isReadable = !this.#buffer.isPinned || this.#reading;
    if (!isUsable || !isReadable || this.endpoint.retired) {
      this.destroy();
      return;
    }
    this.#buffer.unpin();
    this.#resume();
    this.park();
    this.pool.release(this);
  }

  /** Closes once everything written has left. */
  destroySoon(): void {
    if (this.#socket.writableLength === 0) {
      this.destroy();
      return;
    }
    this.#state = State.Flushing;
    this.#tunnel = undefined;
    this.#socket.end(() => this.destroy());
    this.env.deadlines.arm(this, this.env.options.tunnelIdleTimeout);
  }

  /** Closes with a reset: what the upstream has got is not everything. */
  reset(): void {
    resetSocket(this.#socket);
    this.destroy();
  }

  destroy(): void {
    if (this.#state === State.Closed) return;
    const wasIdle = this.#state === State.Idle;
    this.#state = State.Closed;
    this.exchange = undefined;
    this.#tunnel = undefined;
    this.env.deadlines.remove(this);
    this.#socket.destroy();
    this.pool.closed(this, wasIdle);
  }

  /** Connecting took too long, the connection was idle long enough, or the last bytes do not leave. */
  override onDeadline(): void {
    if (this.#state === State.Connecting) {
      this.env.stats.timeouts++;
      const { connectTimeout } = this.env.options;
      this.#fail('MESH_ERR_CONNECT', `connect to ${this.endpoint.key} took longer than ${connectTimeout} ms`);
    } else if (this.#state === State.Idle) this.destroy();
    else if (this.#state === State.Flushing) this.reset();
  }

  // === what the socket says

  onData(): void {
    // never: the socket reads through onread
  }

  onDrain(): void {
    if (this.#socket.writableLength !== 0) return;
    if (this.#tunnel !== undefined) this.#tunnel.onUpstreamDrained();
    else this.exchange?.onUpstreamDrained();
  }

  onError(error: Error): void {
    this.#failure = error;
  }

  onEnd(): void {
    const { exchange } = this;
    // Only where the end of the connection means something: a body that it completes, a half that it closes.
    const isEnd = this.#state === State.Tunnel || (this.#state === State.Body && this.#reader.untilClose);
    if (isEnd && endedByReset(this.#socket)) return;
    if (this.#state === State.Tunnel) this.#tunnel?.onUpstreamEnd();
    else if (this.#state === State.Body && this.#reader.untilClose && exchange !== undefined) {
      this.#state = State.Answered;
      exchange.onResponseEnd();
    } else if (this.#state !== State.Flushing) this.#lost('closed the connection');
  }

  onClose(): void {
    this.#lost(this.#failure === undefined ? 'closed the connection' : describeConnectError(this.#failure));
    this.#buffer.release();
  }

  // === what the answer says

  onHead(complete: boolean): void {
    this.#state = complete ? State.Answered : State.Body;
  }

  onBodyEnd(): void {
    this.#state = State.Answered;
  }

  onSwitched(buffer: Buffer, start: number, headEnd: number, end: number): void {
    const exchange = this.exchange as Exchange;
    if (exchange.call.upgrade === undefined) this.onMalformed('status 101 without an upgrade request');
    else exchange.onUpgraded(buffer, start, headEnd, end);
  }

  onMalformed(problem: string): void {
    this.env.stats.malformedResponses++;
    this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key} sent ${problem}`);
  }

  // === inside

  #onConnected(): void {
    if (this.#state !== State.Connecting) return;
    this.env.deadlines.disarm(this);
    this.pool.connected(this);
  }

  #onRead(length: number): boolean {
    this.#reading = true;
    const buffer = this.#buffer.bytes;
    switch (this.#state) {
      case State.AwaitHead:
        this.#reader.readHead(this.exchange as Exchange, buffer, length);
        break;
      case State.Body:
        this.#reader.readBody(this.exchange as Exchange, buffer, 0, length);
        break;
      case State.Tunnel:
        this.#tunnel?.onUpstreamBytes(buffer, 0, length);
        break;
      case State.Connecting:
      case State.Idle:
      case State.Answered:
        // Bytes that nobody asked for: the connection cannot be trusted any more.
        this.#lost('sent bytes without a request');
        break;
      case State.Flushing:
      case State.Closed:
    }
    const isStreaming = this.#state === State.Body || this.#state === State.Tunnel;
    if (isStreaming && length === buffer.length) this.#buffer.grow();
    this.#reading = false;
    return !this.#paused;
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #lost(reason: string): void {
    switch (this.#state) {
      case State.Connecting:
        this.#fail('MESH_ERR_CONNECT', reason);
        break;
      case State.AwaitHead:
        if (this.#reader.hasPartialHead) {
          this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key}: ${reason} in the middle of its answer's head`);
        } else this.#fail('MESH_ERR_UPSTREAM_RESET', `${this.endpoint.key}: ${reason} before its answer`);
        break;
      case State.Body:
        this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key}: ${reason} in the middle of its answer`);
        break;
      case State.Answered:
        // The whole answer is there; the upstream does not want the rest of the request.
        this.exchange?.onUpstreamClosedEarly();
        this.destroy();
        break;
      case State.Tunnel:
        this.#tunnel?.onUpstreamClosed(this.#failure !== undefined);
        this.destroy();
        break;
      case State.Idle:
      case State.Flushing:
      case State.Closed:
        this.destroy();
    }
  }

  #fail(code: ErrorCode, message: string): void {
    const { exchange } = this;
    const wasConnecting = this.#state === State.Connecting;
    const failure: AttemptFailure = { code, message, sent: !wasConnecting, reusedConnection: this.reused };
    this.destroy();
    if (wasConnecting) this.pool.connectFailed(exchange, failure);
    else exchange?.onAttemptFailed(failure);
  }
}

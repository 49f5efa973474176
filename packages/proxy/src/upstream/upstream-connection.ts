import { connect, type Socket } from 'node:net';
import type { AttemptFailure, Endpoint, ErrorCode } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { BROKEN, ChunkScanner, NEED_MORE } from '../http1/chunk-scanner.js';
import type { Exchange } from '../http1/exchange.js';
import { COMPLETE, INCOMPLETE } from '../http1/field-scanner.js';
import { notifyWhenDrained, own, type SocketOwner } from '../socket-owner.js';
import type { EndpointPool } from './endpoint-pool.js';

/** Seconds taken off the keep-alive time that an upstream announces, so that we close first. */
const KEEP_ALIVE_MARGIN_MS = 1000;

const enum State {
  Connecting,
  Idle,
  AwaitHead,
  Body,
  /** The answer is complete, the request is still being sent. */
  Answered,
  Tunnel,
  Closed,
}

/**
 * One connection to an upstream and the framing of what it answers. It belongs to one exchange from the request until the end of
 * the response, and to the pool in between.
 */
export class UpstreamConnection extends Deadline implements SocketOwner {
  exchange: Exchange | undefined;
  /** True from the second exchange on: only then can an idle close race with a request. */
  reused = false;
  #state: State = State.Connecting;
  readonly #socket: Socket;
  #buffer: Buffer;
  /** A write that has not finished refers to the read buffer. */
  #pinned = false;
  #paused = false;
  #held: Buffer | undefined;
  #remaining = 0;
  #chunked: ChunkScanner | undefined;
  #isChunked = false;
  #untilClose = false;
  #keep = true;
  #idleLimit: number;
  #failure: Error | undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly pool: EndpointPool,
    private readonly env: Environment,
  ) {
    super();
    this.#idleLimit = env.options.upstreamIdleTimeout;
    this.#buffer = env.readBuffers.small();
    env.stats.upstreamConnects++;
    env.stats.upstreamOpen++;
    const nextBuffer = (): Buffer => this.#nextBuffer();
    this.#socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      noDelay: true,
      allowHalfOpen: true,
      // Given as a function, so that the buffer can be exchanged between two reads.
      onread: { buffer: nextBuffer, callback: (length: number) => this.#onRead(length) },
    });
    own(this.#socket, this, false);
    this.#socket.once('connect', () => this.#onConnected());
    env.deadlines.arm(this, env.options.connectTimeout);
  }

  get isIdle(): boolean {
    return this.#state === State.Idle;
  }

  /** Bytes waiting for the upstream to read them. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** A new connection that nobody needs any more waits in the pool. */
  park(): void {
    this.#state = State.Idle;
    this.reused = true;
    this.env.deadlines.arm(this, this.#idleLimit);
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

  /** Asks for `exchange.onUpstreamDrained`. */
  notifyWhenDrained(): void {
    notifyWhenDrained(this.#socket, this);
  }

  /** The client is not reading: stop reading the answer until {@link resume}. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Marks the read buffer as still referred to by a write, so that the next read takes another one. */
  pin(): void {
    this.#pinned = true;
  }

  /** No more bytes of this connection are an HTTP answer. */
  becomeTunnel(): void {
    this.#state = State.Tunnel;
  }

  endWriting(): void {
    this.#socket.end();
  }

  /** Ends the exchange: back to the pool if the framing allows it, else closed. */
  finish(): void {
    this.exchange = undefined;
    if (!this.#keep || this.#state !== State.Answered || this.endpoint.retired) {
      this.destroy();
      return;
    }
    this.resume();
    this.park();
    this.pool.release(this);
  }

  /** Closes once everything written has left. */
  destroySoon(): void {
    const socket = this.#socket;
    if (socket.writableLength === 0) this.destroy();
    else socket.end(() => this.destroy());
  }

  destroy(): void {
    if (this.#state === State.Closed) return;
    const wasIdle = this.#state === State.Idle;
    this.#state = State.Closed;
    this.exchange = undefined;
    this.env.deadlines.remove(this);
    this.#socket.destroy();
    this.pool.closed(this, wasIdle);
  }

  /** Connecting took too long, or the connection was idle long enough. */
  override onDeadline(): void {
    if (this.#state === State.Connecting) {
      this.#failure = new Error(
        `connect to ${this.endpoint.key} took longer than ${this.env.options.connectTimeout} ms`,
      );
      this.env.stats.timeouts++;
      this.#fail('MESH_ERR_CONNECT', this.#failure.message);
    } else if (this.#state === State.Idle) this.destroy();
  }

  onData(): void {
    // never: the socket reads through onread
  }

  onDrain(): void {
    this.exchange?.onUpstreamDrained();
  }

  onError(error: Error): void {
    this.#failure = error;
  }

  onEnd(): void {
    const { exchange } = this;
    if (this.#state === State.Tunnel) exchange?.onTunnelUpstreamEnd();
    else if (this.#state === State.Body && this.#untilClose && exchange !== undefined) {
      this.#state = State.Answered;
      exchange.onResponseEnd();
    } else this.#lost('closed the connection');
  }

  onClose(): void {
    if (this.#state !== State.Closed) this.#lost(this.#failure?.message ?? 'closed the connection');
    if (!this.#pinned) this.env.readBuffers.giveBack(this.#buffer);
  }

  #onConnected(): void {
    if (this.#state !== State.Connecting) return;
    this.env.deadlines.disarm(this);
    this.pool.connected(this);
  }

  #lost(reason: string): void {
    switch (this.#state) {
      case State.Connecting:
        this.#fail('MESH_ERR_CONNECT', reason);
        break;
      case State.AwaitHead:
        if (this.#held !== undefined)
          this.#fail(
            'MESH_ERR_BAD_UPSTREAM',
            `${this.endpoint.key} closed the connection in the middle of its answer's head`,
          );
        else this.#fail('MESH_ERR_UPSTREAM_RESET', `${this.endpoint.key}: ${reason} before its answer`);
        break;
      case State.Body:
        this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key}: ${reason} in the middle of its answer`);
        break;
      case State.Answered:
        // The whole answer is there; the upstream does not want the rest of the request.
        this.#keep = false;
        this.exchange?.onUpstreamClosedEarly();
        this.destroy();
        break;
      case State.Tunnel:
        this.exchange?.onTunnelClosed();
        this.destroy();
        break;
      case State.Idle:
      case State.Closed:
        this.destroy();
    }
  }

  #fail(code: ErrorCode, message: string): void {
    const { exchange } = this;
    const failure: AttemptFailure = {
      code,
      message,
      sent: this.#state !== State.Connecting,
      reusedConnection: this.reused,
    };
    const wasConnecting = this.#state === State.Connecting;
    this.destroy();
    if (wasConnecting) this.pool.connectFailed(this, exchange, failure);
    else exchange?.onAttemptFailed(failure);
  }

  /** Called by Node between reads: hands out another buffer when the present one may not be overwritten, or is too small. */
  #nextBuffer(): Buffer {
    if (this.#pinned) {
      this.#pinned = false;
      this.#buffer = this.#buffer.length === 65_536 ? this.env.readBuffers.large() : this.env.readBuffers.small();
    }
    return this.#buffer;
  }

  #onRead(length: number): boolean {
    const buffer = this.#buffer;
    let bytes = buffer;
    let end = length;
    if (this.#held !== undefined) {
      bytes = Buffer.concat([this.#held, buffer.subarray(0, length)]);
      end = bytes.length;
      this.#held = undefined;
    }
    this.#consume(bytes, 0, end);
    if (length === buffer.length && buffer.length < 65_536 && this.#state === State.Body) {
      // A read that fills the buffer announces a stream: read larger pieces from now on.
      this.#buffer = this.env.readBuffers.large();
      this.#pinned = false;
    }
    return !this.#paused;
  }

  #consume(buffer: Buffer, i: number, end: number): void {
    if (this.#state === State.AwaitHead) {
      this.#readHead(buffer, i, end);
    } else if (this.#state === State.Body) {
      this.#readBody(buffer, i, end);
    } else if (this.#state === State.Tunnel) {
      this.exchange?.onTunnelBytes(buffer, i, end);
    } else {
      // Bytes that nobody asked for: the connection cannot be trusted any more.
      this.#lost('sent bytes without a request');
    }
  }

  #readHead(buffer: Buffer, i: number, end: number): void {
    const scan = this.env.responseScanner;
    const exchange = this.exchange as Exchange;
    for (;;) {
      const result = scan.scanResponse(buffer, i, end);
      if (result === INCOMPLETE) {
        if (end - i > this.env.options.maxHeadBytes)
          return this.#malformed('an answer whose head is larger than maxHeadBytes');
        if (end > i) this.#held = Buffer.from(buffer.subarray(i, end));
        return;
      }
      if (result !== COMPLETE)
        return this.#malformed(scan.problem === '' ? 'an answer with more fields than maxHeaderFields' : scan.problem);
      if (scan.status >= 200) break;
      if (scan.status === 101) {
        if (exchange.call.upgrade === undefined) return this.#malformed('status 101 without an upgrade request');
        this.#state = State.Tunnel;
        this.#keep = false;
        exchange.onUpgraded(buffer, i, scan.end, end);
        return;
      }
      exchange.onInformational(scan, buffer, i);
      i = scan.end;
      if (i === end) return;
    }
    const headEnd = scan.end;
    this.#keep = scan.minorVersion === 1 ? !scan.close : scan.keepAlive;
    if (scan.keepAliveTimeout >= 0) {
      this.#idleLimit = Math.max(
        0,
        Math.min(scan.keepAliveTimeout * 1000 - KEEP_ALIVE_MARGIN_MS, this.env.options.keepAliveTimeout),
      );
    }
    this.#isChunked = false;
    this.#untilClose = false;
    let bodyEnd = headEnd;
    let complete = true;
    if (exchange.call.isHead || scan.status === 204 || scan.status === 304) {
      // no body, whatever the fields say (RFC 9112, 6.3)
    } else if (scan.chunked) {
      this.#isChunked = true;
      const chunks = (this.#chunked ??= new ChunkScanner(this.env.options.maxTrailerBytes));
      chunks.reset();
      if (exchange.dechunk) {
        this.#state = State.Body;
        exchange.onResponseHead(scan, buffer, i, headEnd, false, true);
        if (this.exchange === exchange) this.#readBody(buffer, headEnd, end);
        return;
      }
      const at = chunks.feed(buffer, headEnd, end);
      if (at === BROKEN) return this.#malformed(chunks.problem);
      complete = at !== NEED_MORE;
      bodyEnd = complete ? at : end;
    } else if (scan.contentLength >= 0) {
      const available = end - headEnd;
      complete = available >= scan.contentLength;
      bodyEnd = complete ? headEnd + scan.contentLength : end;
      this.#remaining = scan.contentLength - (bodyEnd - headEnd);
    } else {
      this.#untilClose = true;
      this.#keep = false;
      complete = false;
      bodyEnd = end;
    }
    this.#state = complete ? State.Answered : State.Body;
    // Bytes after the answer were not asked for: the connection is not used again.
    if (complete && bodyEnd < end) this.#keep = false;
    exchange.onResponseHead(scan, buffer, i, bodyEnd, complete, this.#untilClose);
  }

  #readBody(buffer: Buffer, i: number, end: number): void {
    const exchange = this.exchange as Exchange;
    let bodyEnd = end;
    let complete = false;
    if (this.#isChunked) {
      const chunks = this.#chunked as ChunkScanner;
      const at = chunks.feed(buffer, i, end, exchange.dechunk ? exchange.onChunkData : undefined);
      if (at === BROKEN) return this.#malformed(chunks.problem);
      if (at !== NEED_MORE) {
        bodyEnd = at;
        complete = true;
      }
    } else if (!this.#untilClose) {
      bodyEnd = Math.min(end, i + this.#remaining);
      this.#remaining -= bodyEnd - i;
      complete = this.#remaining === 0;
    }
    if (complete) {
      this.#state = State.Answered;
      if (bodyEnd < end) this.#keep = false;
    }
    if (!exchange.dechunk || !this.#isChunked) exchange.onResponseBody(buffer, i, bodyEnd);
    if (complete) exchange.onResponseEnd();
  }

  #malformed(problem: string): void {
    this.env.stats.malformedResponses++;
    this.#fail('MESH_ERR_BAD_UPSTREAM', `${this.endpoint.key} sent ${problem}`);
  }
}

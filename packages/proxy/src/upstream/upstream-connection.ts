import type { AttemptFailure, Endpoint, ErrorCode } from '@mesher/core';
import type { Environment } from '../environment.js';
import { endedByReset } from '../socket-owner.js';
import { describeConnectError } from './connect-error.js';
import { DiscardedAnswer } from './discarded-answer.js';
import type { EndpointPool } from './endpoint-pool.js';
import { ResponseReader, type ResponseProgress } from './response-reader.js';
import { UpstreamChannel } from './upstream-channel.js';
import type { TunnelEnd, UpstreamLink } from './upstream-link.js';
import type { UpstreamUser } from './upstream-user.js';

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
 * One connection to an upstream. It belongs to one user from the request until the end of the response, to a tunnel for good, and
 * to the pool in between.
 */
export class UpstreamConnection extends UpstreamChannel implements ResponseProgress, UpstreamLink {
  user: UpstreamUser | undefined;
  /** True from the second exchange on: only then can an idle close race with a request. */
  reused = false;
  #tunnel: TunnelEnd | undefined;
  #state: State = State.Connecting;
  readonly #reader: ResponseReader;
  #failure: Error | undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly pool: EndpointPool,
    env: Environment,
  ) {
    super(env);
    this.#reader = new ResponseReader(this, env);
    env.stats.upstreamConnects++;
    env.stats.upstreamOpen++;
    this.socket.once('connect', () => this.#onConnected());
    this.dial(endpoint);
    // Looking up the name of the host is part of it.
    env.deadlines.arm(this, env.options.connectTimeout);
  }

  get isIdle(): boolean {
    return this.#state === State.Idle;
  }

  protected get isStreaming(): boolean {
    return this.#state === State.Body || this.#state === State.Tunnel;
  }

  /** A new connection that nobody needs any more, or one whose exchange has ended, waits in the pool. */
  park(): void {
    this.#state = State.Idle;
    this.reused = true;
    this.env.deadlines.arm(this, this.#reader.idleLimit);
  }

  /** Takes the connection for a request and its answer. */
  begin(user: UpstreamUser): void {
    this.user = user;
    this.#state = State.AwaitHead;
    this.env.deadlines.disarm(this);
  }

  /** From here on the bytes of this connection are no HTTP. */
  becomeTunnel(tunnel: TunnelEnd): void {
    this.user = undefined;
    this.#tunnel = tunnel;
    this.#state = State.Tunnel;
  }

  /** Ends the exchange: back to the pool if the framing allows it, else closed. */
  finish(): void {
    this.user = undefined;
    const isUsable = this.#reader.keep && this.#state === State.Answered && !this.socket.failing;
    // Another buffer for a pinned one can be had only while a read is under way.
    const isReadable = !this.buffer.isPinned || this.isReading;
    if (!isUsable || !isReadable || this.endpoint.retired) {
      this.destroy();
      return;
    }
    this.buffer.unpin();
    this.resume();
    this.park();
    this.pool.release(this);
  }

  /**
   * The answer is not wanted. The request has been sent whole: if little is missing of the answer it is read and thrown away, so that
   * the connection can be used again.
   */
  discard(): void {
    if (this.#state === State.Answered) {
      this.finish();
    } else if (this.#state !== State.Body || !this.#reader.endsWithin(this.env.options.maxDiscardBytes)) {
      this.destroy();
    } else {
      this.user = new DiscardedAnswer(this, this.env.options.maxDiscardBytes);
      this.resume();
      this.env.deadlines.arm(this, this.env.options.lingerTimeout);
    }
  }

  /** Its user has no further interest. What is still being connected will serve somebody else. */
  abandon(): void {
    if (this.#state === State.Connecting) this.user = undefined;
    else this.destroy();
  }

  /** Closes once everything written has left. */
  destroySoon(): void {
    if (this.socket.writableLength === 0) {
      this.destroy();
      return;
    }
    this.#state = State.Flushing;
    this.#tunnel = undefined;
    this.socket.end(() => this.destroy());
    this.env.deadlines.arm(this, this.env.options.tunnelIdleTimeout);
  }

  destroy(): void {
    if (this.#state === State.Closed) return;
    const wasIdle = this.#state === State.Idle;
    this.#state = State.Closed;
    this.user = undefined;
    this.#tunnel = undefined;
    this.env.deadlines.remove(this);
    this.socket.destroy();
    this.pool.closed(this, wasIdle);
  }

  /** Connecting took too long, the connection was idle long enough, or the last bytes do not leave or come. */
  override onDeadline(): void {
    if (this.#state === State.Connecting) {
      this.env.stats.timeouts++;
      const { connectTimeout } = this.env.options;
      this.#fail('MESH_ERR_CONNECT', `connect to ${this.endpoint.key} took longer than ${connectTimeout} ms`);
    } else if (this.#state === State.Flushing) this.reset();
    else this.destroy();
  }

  // === what the socket says

  onDrain(): void {
    if (this.socket.writableLength !== 0) return;
    if (this.#tunnel !== undefined) this.#tunnel.onUpstreamDrained();
    else this.user?.onUpstreamDrained();
  }

  onError(error: Error): void {
    this.#failure = error;
  }

  onEnd(): void {
    const { user } = this;
    // Only where the end of the connection means something: a body that it completes, a half that it closes.
    const isEnd = this.#state === State.Tunnel || (this.#state === State.Body && this.#reader.untilClose);
    if (isEnd && endedByReset(this.socket)) return;
    if (this.#state === State.Tunnel) this.#tunnel?.onUpstreamEnd();
    else if (this.#state === State.Body && this.#reader.untilClose && user !== undefined) {
      this.#state = State.Answered;
      user.onResponseEnd();
    } else if (this.#state !== State.Flushing) this.#lost('closed the connection');
  }

  onClose(): void {
    this.#lost(this.#failure === undefined ? 'closed the connection' : describeConnectError(this.#failure));
    this.buffer.release();
  }

  // === what the answer says

  onHead(complete: boolean): void {
    if (this.#state === State.Closed) return;
    this.#state = complete ? State.Answered : State.Body;
  }

  onBodyEnd(): void {
    // Whoever gets the data of chunks may have given up the connection in the middle of it.
    if (this.#state === State.Closed) return;
    this.#state = State.Answered;
  }

  onSwitched(buffer: Buffer, start: number, headEnd: number, end: number): void {
    const user = this.user as UpstreamUser;
    if (user.upgrade === undefined) this.onMalformed('status 101 without an upgrade request');
    else user.onUpgraded(buffer, start, headEnd, end);
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

  protected onBytes(buffer: Buffer, length: number): void {
    switch (this.#state) {
      case State.AwaitHead:
        this.#reader.readHead(this.user as UpstreamUser, buffer, length);
        break;
      case State.Body:
        this.#reader.readBody(this.user as UpstreamUser, buffer, 0, length);
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
        this.user?.onUpstreamClosedEarly();
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
    const { user } = this;
    const wasConnecting = this.#state === State.Connecting;
    const failure: AttemptFailure = { code, message, sent: !wasConnecting, reusedConnection: this.reused };
    this.destroy();
    if (wasConnecting) this.pool.connectFailed(user, failure);
    else user?.onAttemptFailed(failure);
  }
}

import {
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Endpoint,
  type ErrorCode,
  type Verdict,
} from '@mesher/core';
import type { Environment } from '../environment.js';
import type { EndpointPool } from '../upstream/endpoint-pool.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { Phase } from './exchange-phase.js';
import type { Http1Call } from './http1-call.js';
import { ReplayBuffer } from './replay-buffer.js';
import type { ServerConnection } from './server-connection.js';

/**
 * The request's half of an exchange: asks the handler where to go, waits for a connection, sends the request, keeps what is needed
 * to send it again, and asks again when an attempt fails.
 */
export abstract class OutgoingRequest {
  requestDone = false;
  protected phase: Phase = Phase.Deciding;
  protected upstream: UpstreamConnection | undefined;
  protected waitingIn: EndpointPool | undefined;
  /** The body so far, while it may have to be sent: for the first time, or once more. */
  protected kept: ReplayBuffer | undefined;
  #head = '';

  constructor(
    readonly call: Http1Call,
    protected readonly server: ServerConnection,
    readonly handler: CallHandler,
    protected readonly env: Environment,
  ) {}

  /** Ends the call with an answer of our own. */
  abstract reply(rejection: Rejection): void;
  /** Asks the pool for a connection, which answers through `onConnection`, `onConnecting`, `onWaiting` or `onRefused`. */
  protected abstract acquire(endpoint: Endpoint, fresh: boolean): void;
  /** The last byte of the request has been forwarded. */
  protected abstract onRequestSent(): void;
  /** The connection of a CONNECT is there. */
  protected abstract onConnectTunnel(connection: UpstreamConnection): void;
  /** Ends the call and the client's connection in the middle of an answer. */
  protected abstract breakOff(code: ErrorCode): void;

  /** Starts with the head complete and `body` (possibly none) of the request at hand. */
  start(body: Buffer | undefined, requestDone: boolean): void {
    this.requestDone = requestDone;
    if (body !== undefined) (this.kept = new ReplayBuffer()).add(body);
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.begin(this.call);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (verdict instanceof Promise) this.#park(verdict, (later) => this.#proceed(later, true));
    else this.#proceed(verdict, false);
  }

  onRequestBody(piece: Buffer, done: boolean): void {
    this.requestDone = done;
    const { upstream } = this;
    if (upstream === undefined || this.phase < Phase.AwaitResponse) {
      const kept = (this.kept ??= new ReplayBuffer());
      kept.add(piece);
      if (kept.bytes > this.env.options.maxReplayBytes) this.server.pause();
      return;
    }
    this.env.stats.bytesToUpstream += piece.length;
    upstream.writeBody(piece);
    if (this.call.bodyReplayable && this.phase === Phase.AwaitResponse) {
      (this.kept ??= new ReplayBuffer()).add(piece);
      this.#dropIfTooLarge();
    }
    if (upstream.backlog > this.env.options.writeBufferBytes) {
      this.server.pause();
      upstream.notifyWhenDrained();
    }
    this.armRequest();
    if (done) this.onRequestSent();
  }

  onUpstreamDrained(): void {
    this.server.resume();
  }

  // === what the pool says

  onConnecting(connection: UpstreamConnection): void {
    this.upstream = connection;
    this.waitingIn = undefined;
    // The connection has a timeout of its own.
    this.server.arm(Infinity);
  }

  onWaiting(pool: EndpointPool): void {
    this.waitingIn = pool;
    this.server.arm(this.env.options.pendingTimeout);
  }

  onRefused(rejection: Rejection): void {
    this.reply(rejection);
  }

  onConnection(connection: UpstreamConnection): void {
    this.upstream = connection;
    this.waitingIn = undefined;
    if (this.call.form === 'authority') {
      this.onConnectTunnel(connection);
      return;
    }
    this.phase = Phase.AwaitResponse;
    const { kept } = this;
    const head = this.#head;
    if (kept === undefined) {
      this.env.stats.bytesToUpstream += head.length;
      connection.write(head);
    } else {
      this.env.stats.bytesToUpstream += head.length + kept.bytes;
      kept.sendTo(connection, head);
      this.#dropIfTooLarge();
      if (connection.backlog > this.env.options.writeBufferBytes) connection.notifyWhenDrained();
      else this.server.resume();
    }
    this.armRequest();
  }

  onAttemptFailed(failure: AttemptFailure): void {
    this.upstream = undefined;
    if (this.phase >= Phase.Response) {
      // The client has part of the answer: only breaking off tells it that the rest is missing (RFC 9112, 8).
      this.breakOff(failure.code);
      return;
    }
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    this.#goOn(verdict, failure);
  }

  // === for the answer's half

  /**
   * The peer's sidecar could not deliver the request.
   * @returns true when another attempt is made instead of passing on what it has answered
   */
  protected retryInstead(failure: AttemptFailure, complete: boolean): boolean {
    if (!this.call.bodyReplayable) return false;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it decided about another attempt');
      return false;
    }
    // The peer's own words say more than ours would.
    if (verdict instanceof Rejection) return false;
    const upstream = this.upstream as UpstreamConnection;
    this.upstream = undefined;
    if (complete && this.requestDone) upstream.finish();
    else upstream.destroy();
    this.#goOn(verdict, failure);
    return true;
  }

  protected armRequest(): void {
    const { options } = this.env;
    if (this.phase === Phase.AwaitResponse) {
      this.server.arm(this.requestDone ? options.responseTimeout : options.requestIdleTimeout);
    } else this.server.arm(options.responseIdleTimeout);
  }

  // === inside

  /** Waits for a decision; nothing else is remembered of a call that has ended meanwhile. */
  #park(verdict: Promise<Verdict>, proceed: (verdict: Verdict) => void): void {
    this.phase = Phase.Deciding;
    this.server.arm(this.env.options.responseTimeout);
    void verdict.then(
      (later) => {
        if (this.phase === Phase.Deciding) proceed(later);
      },
      (error: unknown) => this.#pluginFailed(error),
    );
  }

  /** @param parked other requests have been scanned since this one was */
  #proceed(verdict: Verdict, parked: boolean): void {
    if (verdict instanceof Rejection) {
      this.reply(verdict);
      return;
    }
    if (parked) this.call.rescan(this.env.requestScanner);
    this.#head = this.call.render(this.env.requestScanner);
    this.#connect(verdict, this.call.form === 'authority');
  }

  #connect(endpoint: Endpoint, fresh: boolean): void {
    this.call.endpoint = endpoint;
    this.call.attempts++;
    this.phase = Phase.Connecting;
    this.acquire(endpoint, fresh);
  }

  /** Follows what the handler has decided after a failure. */
  #goOn(verdict: Verdict | Promise<Verdict>, failure: AttemptFailure): void {
    if (verdict instanceof Promise) {
      this.#park(verdict, (later) => this.#goOn(later, failure));
      return;
    }
    this.phase = Phase.Deciding;
    if (verdict instanceof Rejection) this.reply(verdict);
    // Half a body is never sent, whatever the handler thinks.
    else if (!this.call.bodyReplayable) this.reply(new Rejection(failure.code, failure.message));
    else {
      if (failure.reusedConnection) this.env.stats.reusedConnectionRetries++;
      // The other idle connections of an endpoint that has closed one are suspect: the next try there takes a new one.
      const suspect = failure.reusedConnection && verdict === this.call.endpoint;
      this.#connect(verdict, suspect || this.call.form === 'authority');
    }
  }

  #dropIfTooLarge(): void {
    const { kept } = this;
    if (kept === undefined || kept.bytes <= this.env.options.maxReplayBytes) return;
    this.call.bodyReplayable = false;
    this.kept = undefined;
  }

  #pluginFailed(error: unknown): void {
    if (this.phase === Phase.Over) return;
    this.env.logger.error({ error }, 'a plugin failed while it decided about a call');
    this.reply(new Rejection('MESH_ERR_PLUGIN', error instanceof Error ? error.message : String(error)));
  }
}

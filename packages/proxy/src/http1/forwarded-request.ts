import type { CallHandler } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { UpstreamLink, WaitingLine } from '../upstream/upstream-link.js';
import { Phase } from '../exchange/call-phase.js';
import { TimedCall } from '../exchange/timed-call.js';
import type { Http1Call } from './http1-call.js';
import type { MirrorRequest } from './mirror-request.js';
import type { Http1SecondAttempt } from './http1-second-attempt.js';
import { ReplayBuffer } from './replay-buffer.js';
import type { ServerConnection } from './server-connection.js';

/** A request on its way: waits for a connection, is sent as it comes, and is kept for as long as it may have to be sent again. */
export abstract class ForwardedRequest extends TimedCall<Http1SecondAttempt> {
  protected upstream: UpstreamLink | undefined;
  protected waitingIn: WaitingLine | undefined;
  /** The body so far, while it may have to be sent: for the first time, or once more. */
  protected kept: ReplayBuffer | undefined;
  protected mirror: MirrorRequest | undefined;
  /** The rendered head. */
  protected head = '';

  constructor(
    readonly call: Http1Call,
    protected readonly server: ServerConnection,
    handler: CallHandler,
    env: Environment,
  ) {
    super(handler, env);
  }

  /** The last byte of the request has been forwarded. */
  protected abstract onRequestSent(): void;
  /** The connection of a CONNECT is there. */
  protected abstract onConnectTunnel(connection: UpstreamLink): void;

  /** Starts with the head complete and `body` (possibly none) of the request at hand. */
  start(body: Buffer | undefined, requestDone: boolean): void {
    this.requestDone = requestDone;
    if (body !== undefined) {
      this.call.requestBytes = body.length;
      (this.kept = new ReplayBuffer()).add(body);
    }
    this.decide();
  }

  onRequestBody(piece: Buffer, done: boolean): void {
    if (done) this.requestCompleted();
    this.requestDone = done;
    this.call.requestBytes += piece.length;
    if (this.mirror !== undefined) this.mirror.onBody(piece, done);
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

  onConnecting(connection: UpstreamLink): void {
    this.upstream = connection;
    this.waitingIn = undefined;
    // The connection has a timeout of its own.
    this.server.arm(Infinity, this.dueAt);
  }

  onWaiting(line: WaitingLine): void {
    this.waitingIn = line;
    this.server.arm(this.env.options.pendingTimeout, this.dueAt);
  }

  onConnection(connection: UpstreamLink): void {
    this.upstream = connection;
    this.waitingIn = undefined;
    if (this.call.form === 'authority') {
      this.onConnectTunnel(connection);
      return;
    }
    this.phase = Phase.AwaitResponse;
    const hadBody = this.kept !== undefined;
    this.sendOn(connection, this.head);
    // What writes to a stream may hear at once that there is no place for it.
    if (this.upstream !== connection) return;
    if (hadBody) {
      this.#dropIfTooLarge();
      if (connection.backlog > this.env.options.writeBufferBytes) connection.notifyWhenDrained();
      else this.server.resume();
    }
    this.armRequest();
  }

  /** Sends a head and what is there of the body. */
  sendOn(connection: UpstreamLink, head: string): void {
    const { kept } = this;
    this.env.stats.bytesToUpstream += head.length + (kept === undefined ? 0 : kept.bytes);
    if (kept === undefined) connection.write(head);
    else kept.sendTo(connection, head);
  }

  protected arm(delayMs: number, latest: number): void {
    this.server.arm(delayMs, latest);
  }

  protected armPhase(): void {
    if (this.phase !== Phase.Connecting) this.armRequest();
    else this.server.arm(this.waitingIn === undefined ? Infinity : this.env.options.pendingTimeout, this.dueAt);
  }

  /** The body so far will not be kept once it has been sent. */
  protected get isTooLargeToKeep(): boolean {
    return this.kept !== undefined && this.kept.bytes > this.env.options.maxReplayBytes;
  }

  protected armRequest(): void {
    const { options } = this.env;
    if (this.phase === Phase.AwaitResponse) {
      // A deadline that was chosen for the service takes the place of ours, also when it is later.
      const responseTimeout = this.call.deadlineIsOurs ? Infinity : options.responseTimeout;
      this.server.arm(this.requestDone ? responseTimeout : options.requestIdleTimeout, this.dueAt);
    } else this.server.arm(options.responseIdleTimeout);
  }

  #dropIfTooLarge(): void {
    if (!this.isTooLargeToKeep) return;
    this.call.bodyReplayable = false;
    this.kept = undefined;
  }
}

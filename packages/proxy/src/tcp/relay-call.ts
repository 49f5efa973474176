import { Rejection, type AttemptFailure, type CallHandler, type ErrorCode, type Verdict } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import type { DialledSocket, DialledSockets, RelayUser } from './relay-socket.js';
import type { TcpCall } from './tcp-call.js';

/** What all relays of a listener share. */
export interface RelayContext {
  readonly handler: CallHandler;
  readonly env: Environment;
  readonly sockets: DialledSockets;
  closed(relay: { destroy(): void }): void;
  /** A client that cannot be connected is told so at once, by a reset, although its first bytes might show that it speaks HTTP. */
  readonly refusesAtOnce?: boolean;
  /** How long first bytes that do not tell their protocol wait for the rest, ms; detectTimeout when left out. */
  readonly unclearFor?: number | undefined;
  /** Nothing can be dialled. */
  refused?(message: string): void;
  /** The connection is over. @param aborted the client has left by a reset */
  ended?(code: ErrorCode | undefined, aborted: boolean): void;
  /** The upstream has spoken before anything that the client said told its protocol. */
  serverSpokeFirst?(): void;
}

/** The call behind a relayed connection: asks the handler where it goes, dials, asks again when that fails, and reports the end. */
export abstract class RelayCall extends Deadline implements RelayUser {
  protected upstream: DialledSocket | undefined;
  protected connected = false;
  /** There is no upstream and there will be none. */
  protected refused = false;
  /** The handler knows how the call ended. What is queued may still be leaving. */
  protected over = false;
  protected errorCode: ErrorCode | undefined;
  #isTold = false;
  protected readonly env: Environment;

  constructor(
    protected readonly call: TcpCall,
    protected readonly context: RelayContext,
  ) {
    super();
    this.env = context.env;
  }

  abstract readonly holdsUpstreamBytes: boolean;
  abstract onConnected(): void;
  abstract onUpstreamBytes(bytes: Buffer): boolean;
  abstract onUpstreamEnd(): void;
  abstract onUpstreamDrained(): void;
  abstract onUpstreamError(error: Error): void;
  abstract onUpstreamClosed(): void;

  /** The call cannot be connected; `errorCode` says why. */
  protected abstract onRefused(): void;

  /** The first bytes do not tell their protocol: they are held back until more comes, or the time for it is over. */
  protected awaitRest(): void {
    this.env.deadlines.arm(this, this.context.unclearFor ?? this.env.options.detectTimeout);
  }

  protected begin(): void {
    this.call.startedAt = this.env.now();
    this.#decide(() => this.context.handler.begin(this.call));
  }

  protected onConnectFailed(message: string): void {
    this.env.stats.upstreamConnectFailures++;
    const failure: AttemptFailure = { code: 'MESH_ERR_CONNECT', message, sent: false, reusedConnection: false };
    this.#decide(() => this.context.handler.again(this.call, failure));
  }

  /** @returns false when who was told failed, which ends this connection and no other */
  protected tellConnected(): boolean {
    const { handler } = this.context;
    try {
      if (this.call.endpoint !== undefined) handler.connected(this.call.endpoint);
      if (this.call.watchesBeginning) handler.begun?.(this.call, 0);
      return true;
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed when a connection stood');
      return false;
    }
  }

  /**
   * Bytes of the client are of no protocol served here, so that nobody knows whose they are. They have been read, and an end says that there
   * is no more to come; where there is a service, only a reset cannot be taken for the end of its answer.
   */
  protected get isUnserved(): boolean {
    const { errorCode } = this;
    return errorCode === 'MESH_ERR_NO_ROUTE' || errorCode === 'MESH_ERR_NO_LOCAL_PORT';
  }

  /** Connecting has taken too long. */
  protected onConnectDeadline(): void {
    this.upstream?.release(false, false);
    this.upstream = undefined;
    if (this.#isLate()) this.#refuseLate();
    else
      this.onConnectFailed(`connect to ${this.call.endpoint?.key ?? ''} took longer than ${this.#connectTimeout} ms`);
  }

  /** The connection is over. */
  protected report(aborted: boolean): void {
    if (this.over) return;
    this.over = true;
    this.#endCall(this.errorCode, aborted);
    this.context.ended?.(this.errorCode, aborted);
  }

  /** The connection turns out to hold calls of its own: this one is none any more. */
  protected supersede(): void {
    this.#endCall(undefined, true, true);
  }

  /** Tells the handler how the call ended, once. */
  #endCall(code: ErrorCode | undefined, aborted: boolean, superseded?: true): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const durationMs = this.env.now() - this.call.startedAt;
    try {
      this.context.handler.end(this.call, { status: 0, code, aborted, superseded, durationMs });
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a connection had ended');
    }
  }

  /** Asks the handler, which may answer later. */
  #decide(ask: () => Verdict | Promise<Verdict>): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = ask();
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (verdict instanceof Promise) {
      this.env.deadlines.arm(this, this.env.options.responseTimeout, this.call.deadlineAt);
      verdict.then(
        (later) => this.#dial(later),
        (error: unknown) => this.#pluginFailed(error),
      );
    } else this.#dial(verdict);
  }

  #dial(verdict: Verdict): void {
    if (this.over) return;
    if (verdict instanceof Rejection) {
      this.#refuse(verdict.code, verdict.message);
      return;
    }
    if (this.#isLate()) {
      this.#refuseLate();
      return;
    }
    this.call.endpoint = verdict;
    this.call.attempts++;
    this.env.stats.upstreamConnects++;
    this.env.deadlines.arm(this, this.#connectTimeout, this.call.deadlineAt);
    this.upstream = this.context.sockets.take();
    this.upstream.dial(this, verdict);
  }

  /** An attempt is over once there is a connection: what the peers do with it has its own time. */
  get #connectTimeout(): number {
    return Math.min(this.env.options.connectTimeout, this.call.tryTimeout);
  }

  #isLate(): boolean {
    const { deadlineAt } = this.call;
    return deadlineAt !== Infinity && this.env.now() >= deadlineAt;
  }

  #refuseLate(): void {
    const { deadlineAt, startedAt } = this.call;
    this.#refuse('MESH_ERR_TIMEOUT', `no connection within the deadline of ${Math.round(deadlineAt - startedAt)} ms`);
  }

  #pluginFailed(error: unknown): void {
    if (this.over) return;
    this.env.logger.error({ error }, 'a plugin failed while it decided about a connection');
    this.#refuse('MESH_ERR_PLUGIN', String(error));
  }

  #refuse(code: ErrorCode, message: string): void {
    this.errorCode = code;
    this.refused = true;
    this.env.logger.warn(
      { code, peer: this.call.remoteAddress, service: this.call.destination?.service },
      `connection refused: ${message}`,
    );
    this.context.refused?.(message);
    this.onRefused();
  }
}

import type { Socket } from 'node:net';
import type { Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import { own } from '../../socket-owner.js';
import { describeConnectError } from '../../upstream/connect-error.js';
import type { ReadBuffer } from '../../upstream/read-buffer.js';
import { Http2Connection } from '../connection/http2-connection.js';
import type { ErrorCode } from '../error-codes.js';
import type { UpstreamState } from './upstream-counts.js';

/** The connection that we have dialled to an endpoint: how it comes about, where it stands, and how it is lost. */
export abstract class DialledConnection extends Http2Connection {
  /** The socket has closed, or will: what is under way ends without an answer. */
  isLost = false;
  /** Why, for the calls that were under way. */
  lossReason: string | undefined = undefined;
  isConnected = false;
  /** What the peer has said is no HTTP/2, so that it has understood nothing of what we said. */
  isForeign = false;
  #state: UpstreamState = 'connecting';
  #failure: Error | undefined;

  constructor(
    readonly endpoint: Endpoint,
    socket: Socket,
    private readonly buffer: ReadBuffer,
    env: Environment,
  ) {
    super(socket, env, false);
    own(socket, this, false);
    socket.once('connect', () => this.#onConnected());
    socket.connect({ host: endpoint.host, port: endpoint.port });
    env.ownDials.begun(socket, endpoint);
    env.stats.upstreamConnects++;
    env.stats.upstreamOpen++;
    env.stats.http2Upstream.moved(undefined, 'connecting');
    env.deadlines.arm(this, env.options.connectTimeout);
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /** Nothing is read or written any more. */
  get isOver(): boolean {
    return this.isGone;
  }

  /** True until the peer's SETTINGS have come: nobody knows yet how much it takes. */
  get isNew(): boolean {
    return !this.isGone && !this.peer.hasCome;
  }

  countMalformed(): void {
    this.env.stats.malformedResponses++;
  }

  override outputOverflowed(): void {
    this.countViolation('unsent-bytes');
    this.lose('does not read what is sent to it');
  }

  override onEnd(): void {
    this.lose(this.#closeReason);
  }

  override onError(error: Error): void {
    this.#failure = error;
  }

  override onClose(): void {
    this.lose(this.#closeReason);
    this.buffer.release();
  }

  /** The socket is connected, and the preface is written. */
  protected abstract onConnected(): void;

  protected override fail(code: ErrorCode, problem: string): void {
    if (this.isGone) return;
    this.countMalformed();
    this.isForeign = !this.peer.hasCome;
    this.lossReason = this.isForeign
      ? `speaks no HTTP/2, as it seems (${problem})`
      : `broke the rules of HTTP/2: ${problem}`;
    super.fail(code, problem);
  }

  /** Ends the connection with its calls, which are told the reason. Harmless when it is over. */
  protected lose(reason: string): void {
    if (!this.isGone) {
      this.isLost = true;
      this.lossReason = reason;
    }
    this.destroy();
  }

  /** The same, because something has not come in time. */
  protected loseLate(reason: string): void {
    this.env.stats.timeouts++;
    this.lose(reason);
  }

  protected enter(state: UpstreamState): void {
    if (state === this.#state) return;
    this.env.stats.http2Upstream.moved(this.#state, state);
    this.#state = state;
  }

  protected onGone(): void {
    this.env.deadlines.remove(this);
    this.enter('closed');
    this.env.stats.upstreamOpen--;
  }

  #onConnected(): void {
    if (this.isGone) return;
    this.isConnected = true;
    this.enter('open');
    this.env.deadlines.arm(this, this.limits.prefaceTimeout);
    this.begin(false);
    this.onConnected();
  }

  get #closeReason(): string {
    return this.#failure === undefined ? 'closed the connection' : describeConnectError(this.#failure);
  }
}

import type { Socket } from 'node:net';
import { Rejection, type CallHandler, type ErrorCode, type Verdict } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { notifyWhenDrained, type SocketOwner } from '../socket-owner.js';
import type { RelaySocket, RelaySockets } from './relay-socket.js';
import type { TcpCall } from './tcp-call.js';

/** Looks at the client's first bytes; returning true takes the client's socket away from the relay. */
export type FirstBytes = (bytes: Buffer) => boolean;

/**
 * Passes bytes both ways between an accepted socket and a dialled one: back-pressure, half-close and resets included. It dials at
 * once, because with some protocols the server speaks first.
 */
export class Relay extends Deadline implements SocketOwner {
  #upstream: RelaySocket | undefined;
  #connected = false;
  #clientEnded = false;
  #upstreamEnded = false;
  #pausedClient = false;
  /** Client bytes that came before there was a connection. */
  #early: Buffer[] | undefined;
  #over = false;
  #errorCode: ErrorCode | undefined;
  #failure = '';

  constructor(
    private readonly client: Socket,
    private readonly call: TcpCall,
    private readonly handler: CallHandler,
    private readonly env: Environment,
    private readonly sockets: RelaySockets,
    private readonly closed: (relay: Relay) => void,
    private firstBytes: FirstBytes | undefined,
  ) {
    super();
  }

  /** @param early bytes that the client has sent already */
  start(early: Buffer | undefined): void {
    this.call.startedAt = this.env.now();
    if (early !== undefined) this.#early = [early];
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.begin(this.call);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it decided about a connection');
      this.#refuse('MESH_ERR_PLUGIN', String(error));
      return;
    }
    this.#decide(verdict);
  }

  // === the accepted side

  onData(chunk: Buffer): void {
    if (this.firstBytes !== undefined) {
      const first = this.firstBytes;
      this.firstBytes = undefined;
      if (first(chunk)) {
        this.abandon();
        return;
      }
    }
    const upstream = this.#upstream;
    if (upstream === undefined || !this.#connected) {
      (this.#early ??= []).push(chunk);
      this.client.pause();
      this.#pausedClient = true;
      return;
    }
    this.env.stats.bytesToUpstream += chunk.length;
    if (!upstream.socket.write(chunk)) {
      this.client.pause();
      this.#pausedClient = true;
    }
    this.#touch();
  }

  onEnd(): void {
    this.#clientEnded = true;
    if (!this.#connected) return;
    if (this.#upstreamEnded) this.#finish();
    else this.#upstream?.socket.end();
  }

  onDrain(): void {
    this.#upstream?.socket.resume();
  }

  onError(error: Error): void {
    this.#failure = error.message;
  }

  onClose(): void {
    this.#finish();
  }

  // === the dialled side

  onConnected(): void {
    this.#connected = true;
    const upstream = this.#upstream as RelaySocket;
    if (this.call.endpoint !== undefined) this.handler.connected(this.call.endpoint);
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) {
      for (const chunk of early) {
        this.env.stats.bytesToUpstream += chunk.length;
        upstream.socket.write(chunk);
      }
    }
    if (this.#clientEnded) upstream.socket.end();
    this.#pausedClient = false;
    this.client.resume();
    this.#touch();
  }

  /** @returns false to stop reading until the client has taken what it got */
  onUpstreamBytes(bytes: Buffer): boolean {
    this.firstBytes = undefined;
    this.env.stats.bytesToDownstream += bytes.length;
    this.client.write(bytes);
    this.#touch();
    if (this.client.writableLength === 0) return true;
    notifyWhenDrained(this.client, this);
    return false;
  }

  onUpstreamEnd(): void {
    this.#upstreamEnded = true;
    if (this.#clientEnded) this.#finish();
    else this.client.end();
  }

  onUpstreamDrained(): void {
    if (!this.#pausedClient) return;
    this.#pausedClient = false;
    this.client.resume();
  }

  onUpstreamError(error: Error): void {
    this.#failure = error.message;
  }

  onUpstreamClosed(): void {
    this.#upstream = undefined;
    if (this.#over) return;
    if (this.#connected) {
      this.#finish();
      return;
    }
    this.env.stats.upstreamConnectFailures++;
    this.#decide(
      this.handler.again(this.call, {
        code: 'MESH_ERR_CONNECT',
        message: this.#failure,
        sent: false,
        reusedConnection: false,
      }),
    );
  }

  override onDeadline(): void {
    this.env.stats.timeouts++;
    if (!this.#connected && this.#upstream !== undefined) {
      this.#failure = `connect to ${this.call.endpoint?.key ?? ''} took longer than ${this.env.options.connectTimeout} ms`;
      this.#upstream.socket.destroy();
    } else {
      this.#errorCode = 'MESH_ERR_TIMEOUT';
      this.#finish();
    }
  }

  /** Gives up the connection without touching the client's socket, which has another owner now. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release(true);
  }

  destroy(): void {
    this.#finish();
  }

  #decide(verdict: Verdict | Promise<Verdict>): void {
    if (verdict instanceof Promise) {
      verdict.then(
        (later) => this.#dial(later),
        (error: unknown) => this.#refuse('MESH_ERR_PLUGIN', String(error)),
      );
    } else this.#dial(verdict);
  }

  #dial(verdict: Verdict): void {
    if (this.#over) return;
    if (verdict instanceof Rejection) {
      this.#refuse(verdict.code, verdict.message);
      return;
    }
    this.call.endpoint = verdict;
    this.call.attempts++;
    this.env.stats.upstreamConnects++;
    this.env.deadlines.arm(this, this.env.options.connectTimeout);
    this.#upstream = this.sockets.take();
    this.#upstream.dial(this, verdict);
  }

  #refuse(code: ErrorCode, message: string): void {
    this.#errorCode = code;
    this.env.logger.warn(
      { code, peer: this.call.remoteAddress, service: this.call.destination?.service },
      `connection refused: ${message}`,
    );
    this.#finish();
  }

  #touch(): void {
    this.env.deadlines.arm(this, this.env.options.tunnelIdleTimeout);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    // Everything that was read has been handed to the other side; what is still queued there is sent before the close.
    if (this.client.writableLength === 0) this.client.destroy();
    else this.client.destroySoon();
    this.#release(false);
  }

  #release(aborted: boolean): void {
    this.env.deadlines.remove(this);
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined) {
      if (!aborted && upstream.socket.writableLength > 0) upstream.socket.destroySoon();
      else upstream.release();
    }
    this.handler.end(this.call, {
      status: 0,
      code: this.#errorCode,
      aborted,
      durationMs: this.env.now() - this.call.startedAt,
    });
    this.closed(this);
  }
}

import type { ErrorCode } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { TunnelEnd, TunnelLink } from '../upstream/upstream-link.js';
import type { Http1Call } from './http1-call.js';
import type { ServerConnection } from './server-connection.js';

/** Whoever has the client of a tunnel: what its connection tells. */
export interface TunnelClient {
  onClientBytes(piece: Buffer): void;
  onClientDrained(): void;
  onClientEnd(): void;
  /** @param broken by a reset or another error */
  onClientClosed(broken: boolean): void;
  /** Nothing moved for too long. */
  onTimeout(): void;
}

/**
 * What an exchange becomes after CONNECT or a protocol switch: bytes both ways, with back-pressure, half-close and reset passed on
 * per direction (RFC 9110, 9.3.6 and 7.8).
 */
export class Tunnel implements TunnelEnd, TunnelClient {
  #clientEnded = false;
  #upstreamEnded = false;
  #over = false;

  /** @param onOver told once, when the tunnel has ended; `code` when it did not end by itself */
  constructor(
    private readonly call: Http1Call,
    protected readonly server: ServerConnection,
    protected readonly upstream: TunnelLink,
    private readonly env: Environment,
    private readonly onOver: (code: ErrorCode | undefined, aborted: boolean) => void,
  ) {}

  // === the client's side

  onClientBytes(piece: Buffer): void {
    const { upstream } = this;
    this.env.stats.bytesToUpstream += piece.length;
    this.call.requestBytes += piece.length;
    upstream.writeBody(piece);
    if (upstream.backlog > this.env.options.writeBufferBytes) {
      this.server.pause();
      upstream.notifyWhenDrained();
    }
    this.#touch();
  }

  onClientDrained(): void {
    this.upstream.resumeDrained();
    this.#touch();
  }

  onClientEnd(): void {
    this.#clientEnded = true;
    if (this.#upstreamEnded) this.#finish();
    else this.upstream.endWriting();
  }

  /** @param broken by a reset or another error, which is passed on */
  onClientClosed(broken: boolean): void {
    if (this.#over) return;
    this.#end(undefined, broken);
    if (broken) this.upstream.reset();
    else this.upstream.destroy();
  }

  // === the upstream's side

  onUpstreamBytes(buffer: Buffer, start: number, end: number): void {
    this.env.stats.bytesToDownstream += end - start;
    this.call.responseBytes += end - start;
    if (!this.server.writeBytes(buffer.subarray(start, end))) {
      this.upstream.pin();
      this.upstream.pause();
      this.server.notifyWhenDrained();
    }
    this.#touch();
  }

  onUpstreamDrained(): void {
    this.server.resume();
    this.#touch();
  }

  onUpstreamEnd(): void {
    this.#upstreamEnded = true;
    if (this.#clientEnded) this.#finish();
    else this.server.endWriting();
  }

  /** @param broken by a reset or another error, which is passed on */
  onUpstreamClosed(broken: boolean): void {
    if (this.#over) return;
    this.#end(broken ? 'MESH_ERR_UPSTREAM_RESET' : undefined, false);
    if (broken) this.server.breakOff();
    else this.server.destroySoon();
  }

  // === both

  /** Nothing moved for too long. */
  onTimeout(): void {
    if (this.#over) return;
    this.env.stats.timeouts++;
    this.#end('MESH_ERR_TIMEOUT', false);
    this.upstream.reset();
    this.server.breakOff();
  }

  /** The tunnel is not needed: the upstream is let go, and the client is somebody else's. */
  protected giveUp(): void {
    if (this.#over) return;
    this.#end(undefined, false);
    this.upstream.destroy();
  }

  /** Both directions have ended; what is queued still leaves. */
  #finish(): void {
    if (this.#over) return;
    this.#end(undefined, false);
    this.upstream.destroySoon();
    this.server.destroySoon();
  }

  #end(code: ErrorCode | undefined, aborted: boolean): void {
    this.#over = true;
    this.onOver(code, aborted);
  }

  #touch(): void {
    this.server.arm(this.env.options.tunnelIdleTimeout);
  }
}

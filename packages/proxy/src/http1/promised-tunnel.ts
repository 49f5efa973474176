import { detectProtocol } from '../detect.js';
import type { TunnelClient } from './tunnel.js';

/** What product names of gRPC clients begin with: grpc-go, grpc-httpcli (C++, Python, Ruby, PHP), grpc-java-netty. */
const GRPC_AGENT = /^grpc-/;

/** Whether the client that asks for a tunnel is one of gRPC, by its `User-Agent`. That of Node.js sends none. */
export function isGrpcAgent(userAgent: string | undefined): boolean {
  return userAgent !== undefined && GRPC_AGENT.test(userAgent);
}

/** The connection whose client was promised a tunnel. */
export interface PromiseGiver {
  readonly isDraining: boolean;
  /** The client speaks HTTP/2: its calls are served here, each by itself. */
  becomeHttp2(early: Buffer): void;
  /** It speaks something else, or waits to be spoken to: the tunnel is needed. @param early what has come of it */
  keepPromise(early: Buffer | undefined): void;
  destroy(): void;
}

/**
 * A tunnel that is granted before anything is decided or dialled. A client of gRPC that is told of a proxy asks for one and then speaks
 * HTTP/2 in it; if it is refused, its calls fail as UNAVAILABLE, whatever the reason, and nothing tells it. So it gets its tunnel, and
 * each call in it gets its own answer; only what turns out not to be HTTP/2 is decided and dialled as a tunnel, and is cut if
 * that fails.
 */
export class PromisedTunnel implements TunnelClient {
  #held: Buffer | undefined;

  constructor(private readonly giver: PromiseGiver) {}

  onClientBytes(piece: Buffer): void {
    const bytes = this.#held === undefined ? piece : Buffer.concat([this.#held, piece]);
    const protocol = detectProtocol(bytes);
    if (protocol === 'http2') this.giver.becomeHttp2(bytes);
    else if (protocol === undefined) this.#held = bytes;
    else this.giver.keepPromise(bytes);
  }

  onClientDrained(): void {
    // Nothing waits for it: only the grant has been written.
  }

  /** A client that has ended its side without a word needs nothing. */
  onClientEnd(): void {
    if (this.#held === undefined) this.giver.destroy();
    else this.giver.keepPromise(this.#held);
  }

  onClientClosed(): void {
    // Nothing hangs on it.
  }

  /** It has not said enough in time: in some protocols the server speaks first. */
  onTimeout(): void {
    if (this.giver.isDraining) this.giver.destroy();
    else this.giver.keepPromise(this.#held);
  }
}

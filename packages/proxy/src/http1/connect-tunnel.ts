import { detectProtocol } from '../detect.js';
import { Tunnel } from './tunnel.js';

/** Bytes of the head of an HTTP/2 frame (RFC 9113, 4.1). */
const FRAME_HEAD_BYTES = 9;
/** Type of SETTINGS, which a server of HTTP/2 sends first (RFC 9113, 3.4). */
const SETTINGS = 4;
/** More than a server of HTTP/2 says before its client does: what goes on for so long is something else. */
const MAX_HELD_BYTES = 16_384;

/**
 * The tunnel of a CONNECT. Clients of gRPC that know a proxy ask for one and speak HTTP/2 in it from the first byte; such a connection
 * is served as if its client had come without CONNECT, so that each of its calls has its policies, and the one instance that was
 * dialled is let go. Whatever else is spoken passes as it comes.
 */
export class ConnectTunnel extends Tunnel {
  #hasSpoken = false;
  /** What came of an instance that speaks HTTP/2: settings of its own, which a client must not have when it gets ours. */
  #held: Buffer | undefined;
  #isReleased = false;

  override onClientBytes(piece: Buffer): void {
    if (this.#hasSpoken) {
      super.onClientBytes(piece);
      return;
    }
    this.#hasSpoken = true;
    // Nobody sends so little that the beginning of the preface is cut; if somebody does, it is a tunnel like any other.
    if (detectProtocol(piece) === 'http2') {
      this.#held = undefined;
      this.giveUp();
      this.server.becomeHttp2(piece);
      return;
    }
    this.#release();
    super.onClientBytes(piece);
  }

  override onClientEnd(): void {
    this.#release();
    super.onClientEnd();
  }

  override onUpstreamBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#hasSpoken || !this.#isHeld(buffer, start, end)) {
      super.onUpstreamBytes(buffer, start, end);
      return;
    }
    // A client of HTTP/2 speaks without waiting for it (RFC 9113, 3.4), so this never lasts.
    const bytes = buffer.subarray(start, end);
    this.#held = Buffer.concat(this.#held === undefined ? [bytes] : [this.#held, bytes]);
    if (this.#held.length > MAX_HELD_BYTES) this.#release();
  }

  override onUpstreamEnd(): void {
    this.#release();
    super.onUpstreamEnd();
  }

  override onUpstreamClosed(broken: boolean): void {
    this.#release();
    super.onUpstreamClosed(broken);
  }

  #isHeld(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isReleased) return false;
    if (this.#held !== undefined) return true;
    return end - start >= FRAME_HEAD_BYTES && buffer[start + 3] === SETTINGS && buffer.readUInt32BE(start + 5) === 0;
  }

  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#isReleased = true;
    super.onUpstreamBytes(held, 0, held.length);
  }
}

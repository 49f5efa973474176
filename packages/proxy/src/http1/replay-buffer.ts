import type { UpstreamLink } from '../upstream/upstream-link.js';
import { latin1 } from './characters.js';

/** Up to here head and body leave in one string write, which costs less than a vectored write of two buffers. */
export const ONE_WRITE_BYTES = 4096;

/** The pieces of a request body that wait for a connection, or that another attempt may have to send again. */
export class ReplayBuffer {
  /** Bytes kept. */
  bytes = 0;
  readonly #pieces: Buffer[] = [];

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** Another one with the same pieces, for a copy of the request. */
  clone(): ReplayBuffer {
    const copy = new ReplayBuffer();
    for (const piece of this.#pieces) copy.add(piece);
    return copy;
  }

  /** Sends the head and everything kept, in as few writes as possible. */
  sendTo(connection: UpstreamLink, head: string): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) connection.write(head);
    else if (pieces.length === 1 && this.bytes <= ONE_WRITE_BYTES) {
      connection.write(head + latin1(pieces[0], 0, pieces[0].length));
    } else {
      connection.writeHeadAndBody(head, pieces[0]);
      for (let i = 1; i < pieces.length; i++) connection.writeBody(pieces[i]);
    }
  }
}

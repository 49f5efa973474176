import type { HeaderBlock } from '../hpack/header-block.js';

/** What a stream still has to send while windows, the socket or a missing id hold it up: pieces of the body, then its end. */
export class OutgoingQueue {
  /** Bytes of the pieces. */
  bytes = 0;
  /** The body is complete: END_STREAM comes with the last piece, or with {@link trailers}. */
  isEnded = false;
  trailers: HeaderBlock | undefined = undefined;
  readonly #pieces: Buffer[] = [];
  /** Position of the next byte in the first piece. */
  #at = 0;

  /** Copies `[start, end)`: the caller's buffer is overwritten by the next read. */
  add(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    const piece = Buffer.allocUnsafe(end - start);
    buffer.copy(piece, 0, start, end);
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** The piece that is next; read from {@link at} on. Undefined when there is none. */
  get first(): Buffer | undefined {
    return this.#pieces[0];
  }

  get at(): number {
    return this.#at;
  }

  /** So many bytes of the first piece have been sent. */
  advance(bytes: number): void {
    this.bytes -= bytes;
    this.#at += bytes;
    if (this.#at < this.#pieces[0].length) return;
    this.#pieces.shift();
    this.#at = 0;
  }
}

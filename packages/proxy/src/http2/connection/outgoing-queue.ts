import type { HeaderBlock } from '../hpack/header-block.js';

/**
 * Least room of a piece. Without it a body that comes in frames of one byte would cost a hundred times its size, and the bounds count
 * bytes.
 */
const PIECE_BYTES = 4096;

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
  /** Where the last piece ends; it may have room behind that. */
  #end = 0;

  /** Copies `[start, end)`: the caller's buffer is overwritten by the next read. */
  add(buffer: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    let at = start;
    const last = this.#pieces.at(-1);
    if (last !== undefined) {
      const copied = Math.min(end - at, last.length - this.#end);
      buffer.copy(last, this.#end, at, at + copied);
      this.#end += copied;
      at += copied;
    }
    if (at === end) return;
    const piece = Buffer.allocUnsafeSlow(Math.max(end - at, PIECE_BYTES));
    buffer.copy(piece, 0, at, end);
    this.#pieces.push(piece);
    this.#end = end - at;
  }

  /** The piece that is next; read `[at, firstEnd)` of it. Undefined when there is none. */
  get first(): Buffer | undefined {
    return this.#pieces[0];
  }

  get at(): number {
    return this.#at;
  }

  /** Where the first piece ends. */
  get firstEnd(): number {
    return this.#pieces.length === 1 ? this.#end : this.#pieces[0].length;
  }

  /** So many bytes of the first piece have been sent. */
  advance(bytes: number): void {
    this.bytes -= bytes;
    this.#at += bytes;
    if (this.#at < this.firstEnd) return;
    this.#pieces.shift();
    this.#at = 0;
  }
}

import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import type { HeaderBlock } from '../hpack/header-block.js';

/**
 * Least room of a further piece. Without it a body that comes in frames of one byte would cost a hundred times its size, and the bounds
 * count bytes. The first piece is as large as it came: most bodies are one.
 */
const PIECE_BYTES = 4096;

/** What has come of a request's body, while it may have to be sent: for the first time, or once more. */
export class KeptRequest {
  /** Bytes kept. */
  bytes = 0;
  trailers: HeaderBlock | undefined = undefined;
  readonly #pieces: Buffer[] = [];
  /** Where the last piece ends; it may have room behind that. */
  #end = 0;

  /** Copies `[start, end)`, which is overwritten by the next read. */
  add(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    const pieces = this.#pieces;
    this.bytes += end - start;
    let at = start;
    if (pieces.length > 0) {
      const last = pieces[pieces.length - 1];
      const copied = Math.min(end - at, last.length - this.#end);
      buffer.copy(last, this.#end, at, at + copied);
      this.#end += copied;
      at += copied;
      if (at === end) return;
    }
    const piece = Buffer.allocUnsafe(pieces.length === 0 ? end - at : Math.max(end - at, PIECE_BYTES));
    buffer.copy(piece, 0, at, end);
    pieces.push(piece);
    this.#end = end - at;
  }

  /** @param isComplete what is kept is all of the request */
  sendTo(attempt: UpstreamAttempt, isComplete: boolean): void {
    const pieces = this.#pieces;
    const last = pieces.length - 1;
    const endsWithData = isComplete && this.trailers === undefined;
    for (let i = 0; i <= last; i++) {
      const piece = pieces[i];
      attempt.data(piece, 0, i === last ? this.#end : piece.length, endsWithData && i === last);
    }
    if (this.trailers !== undefined) attempt.trailers(this.trailers);
    else if (isComplete && last < 0) attempt.data(NO_BYTES, 0, 0, true);
  }
}

const NO_BYTES = Buffer.alloc(0);

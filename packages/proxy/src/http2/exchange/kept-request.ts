import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import type { HeaderBlock } from '../hpack/header-block.js';

/** What has come of a request's body, while it may have to be sent: for the first time, or once more. */
export class KeptRequest {
  /** Bytes kept. */
  bytes = 0;
  trailers: HeaderBlock | undefined = undefined;
  readonly #pieces: Buffer[] = [];

  /** Copies `[start, end)`, which is overwritten by the next read. */
  add(buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    const piece = Buffer.allocUnsafe(end - start);
    buffer.copy(piece, 0, start, end);
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** Another one with the same pieces, for a copy of the request. */
  clone(): KeptRequest {
    const copy = new KeptRequest();
    copy.bytes = this.bytes;
    copy.trailers = this.trailers;
    copy.#pieces.push(...this.#pieces);
    return copy;
  }

  /** @param isComplete what is kept is all of the request */
  sendTo(attempt: UpstreamAttempt, isComplete: boolean): void {
    const pieces = this.#pieces;
    const endsWithData = isComplete && this.trailers === undefined;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      attempt.data(piece, 0, piece.length, endsWithData && i === pieces.length - 1);
    }
    if (this.trailers !== undefined) attempt.trailers(this.trailers);
    else if (isComplete && pieces.length === 0) attempt.data(NO_BYTES, 0, 0, true);
  }
}

const NO_BYTES = Buffer.alloc(0);

import { BROKEN, ChunkScanner, NEED_MORE, type ChunkData } from '../http1/chunk-scanner.js';
import type { UpstreamAttempt } from '../http2/connection/attempt-stream.js';
import { trailerBlock } from './field-lines.js';
import { NO_BYTES } from './pooled-attempt.js';
import type { BlockRequest } from './request-block.js';

/** The body of an HTTP/1 request on its way into DATA frames: taken out of its chunks, or counted. */
export class RequestBody {
  /** All of it has been given to the attempt. */
  isDone: boolean;
  #missing: number;
  readonly #chunks: ChunkScanner | undefined;
  readonly #onData: ChunkData | undefined;

  /** @param maxTrailerBytes most bytes of the trailer section */
  constructor(
    { isChunked, contentLength, endsWithHead }: BlockRequest,
    private readonly attempt: UpstreamAttempt,
    maxTrailerBytes: number,
  ) {
    this.isDone = endsWithHead;
    this.#missing = contentLength;
    if (!isChunked) return;
    this.#chunks = new ChunkScanner(maxTrailerBytes);
    this.#chunks.keepsTrailers = true;
    this.#onData = (buffer, start, end) => this.attempt.data(buffer, start, end, false);
  }

  /** Takes bytes as HTTP/1 sends them. @returns false when they break the framing, which somebody should have noticed before */
  take(bytes: Buffer): boolean {
    if (bytes.length === 0) return true;
    if (this.isDone) return false;
    const chunks = this.#chunks;
    if (chunks === undefined) {
      this.#missing -= bytes.length;
      if (this.#missing < 0) return false;
      this.isDone = this.#missing === 0;
      this.attempt.data(bytes, 0, bytes.length, this.isDone);
      return true;
    }
    const at = chunks.feed(bytes, 0, bytes.length, this.#onData);
    if (at === NEED_MORE) return true;
    if (at === BROKEN || at !== bytes.length) return false;
    this.isDone = true;
    const trailers = trailerBlock(chunks.trailers);
    if (trailers === undefined) this.attempt.data(NO_BYTES, 0, 0, true);
    else this.attempt.trailers(trailers);
    return true;
  }
}

import type { ReadBuffers } from './read-buffers.js';

/**
 * The buffer into which one upstream socket reads, and what keeps it from being overwritten: bytes of it are handed to the client's
 * socket without a copy, and a write that goes asynchronous refers to them until it is done.
 */
export class ReadBuffer {
  bytes: Buffer;
  /** A write that has not finished may refer to the buffer: nothing may be read into it. */
  isPinned = false;

  constructor(private readonly pool: ReadBuffers) {
    this.bytes = pool.small();
  }

  /** To be called in the callback of a read that has filled the buffer: it announces a stream, so larger pieces are read from now on. */
  grow(): void {
    if (!this.pool.canGrow(this.bytes)) return;
    this.bytes = this.pool.large();
    // A write may refer to the old one for as long as it likes.
    this.isPinned = false;
  }

  /** To be called in the callback of a read: gets another buffer if the present one is pinned, since Node asks for it right after. */
  unpin(): void {
    if (!this.isPinned) return;
    this.bytes = this.pool.another(this.bytes);
    this.isPinned = false;
  }

  /** Nothing will be read any more. */
  release(): void {
    if (!this.isPinned) this.pool.giveBack(this.bytes);
  }
}

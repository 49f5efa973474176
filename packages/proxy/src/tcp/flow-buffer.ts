import type { ReadBuffers } from '../upstream/read-buffers.js';

/** Enough for what is said in turns, and a page of memory, so that a silent connection holds no more. */
const SMALL = 4_096;

/**
 * The buffer into which one side of a relay is read: a small one while little is said, a large one of the pool while bytes flow.
 *
 * Node reads into memory that it gets anew for each read unless it is given some. At 64 KB a read the kernel then spends more time on fresh
 * pages than on the bytes, and what waits for the garbage collector adds up to a hundred megabytes.
 */
export class FlowBuffer {
  bytes: Buffer;
  #small: Buffer | undefined;

  /** @param flowing begins with a large one */
  constructor(
    private readonly pool: ReadBuffers,
    flowing: boolean,
  ) {
    if (flowing) this.bytes = pool.large();
    else this.bytes = this.#small = Buffer.allocUnsafeSlow(SMALL);
  }

  /** The first `length` bytes of it. */
  first(length: number): Buffer {
    return length === this.bytes.length ? this.bytes : this.bytes.subarray(0, length);
  }

  /**
   * Chooses the buffer of the next read.
   * @param length what the last one has brought
   * @param isPinned a write that has not finished refers to the present one
   */
  adapt(length: number, isPinned: boolean): void {
    if (this.bytes === this.#small) {
      if (length < SMALL) return;
      if (isPinned) this.#small = undefined;
      this.bytes = this.pool.large();
    } else if (!isPinned && length <= SMALL) this.#shrink();
  }

  /** Nothing flows any more. @param isPinned as above: the pool does not get it back then */
  rest(isPinned: boolean): void {
    if (this.bytes === this.#small) {
      if (!isPinned) return;
      this.bytes = this.#small = Buffer.allocUnsafeSlow(SMALL);
    } else if (isPinned) this.bytes = this.#small ??= Buffer.allocUnsafeSlow(SMALL);
    else this.#shrink();
  }

  #shrink(): void {
    this.pool.giveBack(this.bytes);
    this.bytes = this.#small ??= Buffer.allocUnsafeSlow(SMALL);
  }
}

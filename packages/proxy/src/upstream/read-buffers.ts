/** First size: enough for nearly every answer to a small request, so that idle pooled connections hold little memory. */
const SMALL = 16_384;
/** Size once a connection has shown that it streams: fewer reads per gigabyte. */
const LARGE = 65_536;
/** Large buffers kept for the next streaming connection (4 MB at most). */
const KEPT = 64;

/**
 * Buffers into which upstream sockets read (`onread`). Each socket has its own: a buffer shared between sockets would be
 * overwritten while a write that went asynchronous still refers to it.
 */
export class ReadBuffers {
  readonly #large: Buffer[] = [];

  small(): Buffer {
    return Buffer.allocUnsafeSlow(SMALL);
  }

  large(): Buffer {
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE);
  }

  /** Another buffer of the same size. */
  another(buffer: Buffer): Buffer {
    return buffer.length === LARGE ? this.large() : this.small();
  }

  /** True while a larger buffer would make fewer reads. */
  canGrow(buffer: Buffer): boolean {
    return buffer.length < LARGE;
  }

  /** Takes back a buffer that nothing refers to any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === LARGE && this.#large.length < KEPT) this.#large.push(buffer);
  }
}

import { Socket, type OnReadOpts } from 'node:net';
import { HIGH_WATER_MARK } from '../socket-owner.js';

/** Turns of the event loop for which a socket is still read after a write has failed: the second has polled for certain. */
const LAST_LOOK_TURNS = 2;

/**
 * A dialled socket that reads through `onread`. When a write fails, because the upstream has closed, it first reads what the upstream
 * had sent before: that is often the answer (413 to an upload that it did not want), and Node would throw it away unread.
 */
export class UpstreamSocket extends Socket {
  /** A write has failed: the connection is about to close. */
  failing = false;
  #generation = 0;

  constructor(onread: OnReadOpts) {
    // Node takes noDelay here and not when it connects; the type does not know it.
    super({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_MARK, onread } as ConstructorParameters<
      typeof Socket
    >[0]);
  }

  override destroy(error?: Error): this {
    if (error !== undefined && isWriteError(error) && !this.destroyed) {
      if (!this.failing) this.#lookOnceMore(error);
      return this;
    }
    this.failing = false;
    this.#generation++;
    return super.destroy(error);
  }

  #lookOnceMore(error: Error): void {
    this.failing = true;
    const generation = this.#generation;
    let turns = LAST_LOOK_TURNS;
    const turn = (): void => {
      // The socket may have been closed and dialled again meanwhile.
      if (this.#generation !== generation) return;
      if (--turns > 0) {
        setImmediate(turn);
        return;
      }
      this.#generation++;
      this.failing = false;
      super.destroy(error);
    };
    setImmediate(turn);
  }
}

function isWriteError(error: NodeJS.ErrnoException): boolean {
  return error.syscall === 'write';
}

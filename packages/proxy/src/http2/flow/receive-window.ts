import { DEFAULT_WINDOW } from './window-limits.js';

/** The window is announced again when this part of it was given back: fewer WINDOW_UPDATE frames, and the sender never runs dry. */
const ANNOUNCED_PART = 0.5;

/**
 * How many bytes we still allow the peer to send, on a connection or a stream (RFC 9113, 6.9). Bytes are taken when they arrive
 * and given back when they have left for the other side; on the connection they are given back at once, because one slow
 * stream would hold up all others.
 */
export class ReceiveWindow {
  readonly #size: number;
  #available: number;
  #returned: number;

  /**
   * @param size bytes that the window has when nothing waits
   * @param announced bytes that the peer knows of: for a stream our SETTINGS_INITIAL_WINDOW_SIZE, for a connection the default.
   * The difference is announced with the first bytes that are given back.
   */
  constructor(size: number, announced: number = size) {
    this.#size = size;
    this.#available = announced;
    this.#returned = size - announced;
  }

  /** A connection's window of `size` bytes, of which the peer knows the default. */
  static ofConnection(size: number): ReceiveWindow {
    return new ReceiveWindow(size, DEFAULT_WINDOW);
  }

  /** Bytes that the peer may still send. */
  get available(): number {
    return this.#available;
  }

  /** Takes bytes that arrived. Returns false when they are more than allowed: FLOW_CONTROL_ERROR (RFC 9113, 6.9.1). */
  take(bytes: number): boolean {
    this.#available -= bytes;
    return this.#available >= 0;
  }

  /**
   * Gives bytes back. Returns the increment to announce with WINDOW_UPDATE, 0 while it is too small to be worth a frame.
   */
  giveBack(bytes: number): number {
    this.#returned += bytes;
    if (this.#returned < this.#size * ANNOUNCED_PART) return 0;
    return this.announce();
  }

  /** Gives bytes back without announcing them, because no more is to come for now; see {@link announce}. */
  keepBack(bytes: number): void {
    this.#returned += bytes;
  }

  /** Everything that was given back and is not announced yet, announced now; 0 when there is nothing. */
  announce(): number {
    const increment = Math.max(this.#returned, 0);
    this.#available += increment;
    this.#returned -= increment;
    return increment;
  }
}

import { DEFAULT_WINDOW, MAX_WINDOW } from './window-limits.js';

/** How many bytes the peer still allows us to send, on a connection or a stream (RFC 9113, 6.9). */
export class SendWindow {
  #available: number;

  /** @param initial bytes: for a stream what the peer's SETTINGS_INITIAL_WINDOW_SIZE says at the time it is opened */
  constructor(initial: number = DEFAULT_WINDOW) {
    this.#available = initial;
  }

  /** Bytes; negative when the peer has made its windows smaller than what was sent already. */
  get available(): number {
    return this.#available;
  }

  /** Takes bytes that were sent; the caller has looked at {@link available}. */
  take(bytes: number): void {
    this.#available -= bytes;
  }

  /**
   * A WINDOW_UPDATE. Returns false when the window grows beyond 2^31-1: FLOW_CONTROL_ERROR of the stream, or of the connection
   * when it is the connection's window (RFC 9113, 6.9.1).
   */
  grow(increment: number): boolean {
    this.#available += increment;
    return this.#available <= MAX_WINDOW;
  }

  /** Forgets a window that was not used, for a stream that is opened at another connection. */
  reset(initial: number): void {
    this.#available = initial;
  }
}

/** The peer's SETTINGS_INITIAL_WINDOW_SIZE: what streams begin with, and what changes those that are open. */
export class InitialWindow {
  #bytes = DEFAULT_WINDOW;

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Sets a new size; all open streams change by the difference, also below zero (RFC 9113, 6.9.2). Returns false when a window
   * grows beyond 2^31-1: connection error FLOW_CONTROL_ERROR. Streams that waited may be able to send afterwards.
   * @param open windows of all streams of the connection; never the connection's own
   */
  change(bytes: number, open: Iterable<SendWindow>): boolean {
    const difference = bytes - this.#bytes;
    this.#bytes = bytes;
    let fits = true;
    if (difference !== 0) for (const window of open) fits = window.grow(difference) && fits;
    return fits;
  }
}

/** Bytes of `wanted` that may go into one DATA frame now; 0 or less when the stream has to wait. */
export function sendableBytes(
  wanted: number,
  stream: SendWindow,
  connection: SendWindow,
  maxFrameBytes: number,
): number {
  return Math.min(wanted, stream.available, connection.available, maxFrameBytes);
}

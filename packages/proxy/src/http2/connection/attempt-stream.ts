import type { BlockEdits } from '../hpack/block-edits.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { HeaderField } from '../hpack/header-field.js';

/** What the head of a request or an answer is written from: a block as it came or was made, edits that were compiled ahead, and fields of this call. */
export interface OutgoingHead {
  readonly block: HeaderBlock;
  readonly edits: BlockEdits | undefined;
  readonly added: readonly HeaderField[] | undefined;
}

/**
 * One request on its way to an instance, whatever the instance speaks: a stream of an HTTP/2 connection, or the bridge to a connection of
 * HTTP/1. Everything may be called at once after it was opened; what cannot leave yet is copied and queued.
 */
export interface UpstreamAttempt {
  /** Bytes of the body that wait here for windows, for the socket or for a connection. */
  readonly queuedBytes: number;
  /** The head has been written: an instance may have seen the request. */
  readonly isBegun: boolean;
  /** It waits for a connection that does not stand yet, and not for its turn. */
  readonly isConnecting: boolean;
  /** A piece of the body; taken whole, copied when it has to wait. `onRequestSent` tells when it has left. */
  data(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  /** Ends the request with trailers, after what waits. */
  trailers(block: HeaderBlock): void;
  /** So many bytes of the answer have left for the client: the instance may send as many more. */
  consumed(bytes: number): void;
  /** The answer is not wanted (any more): RST_STREAM, or the end of the HTTP/1 connection. The receiver hears nothing more. */
  cancel(code: number): void;
}

import type { AttemptFailure, Endpoint } from '@mesher/core';
import type { HeaderBlock } from '../hpack/header-block.js';

/** Who takes what a client sends on one stream, and learns what becomes of the answer. */
export interface RequestReceiver {
  /**
   * A piece of the body. The bytes are good until the call returns; whoever has passed them on gives them back with
   * `stream.consumed(bytes)`, which opens the window of the stream again.
   * @param endStream nothing follows
   */
  onRequestData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  /** The trailer section, which ends the request. */
  onRequestTrailers(block: HeaderBlock): void;
  /**
   * The stream is over before its answer was complete: reset by the client, malformed, or its connection is gone. Nothing more can be
   * sent on it.
   */
  onClientGone(): void;
  /** Bytes given to `stream.data` have left for the socket, at once or later. */
  onAnswerSent(bytes: number): void;
  /** The time that was given with `stream.arm` is over. */
  onTimeout(): void;
}

/** Who sends a request on one stream and gets its answer: the exchange of a client, a hedge, a copy, a bridge. */
export interface AnswerReceiver {
  /** The request head has been written: from here on the time of the instance runs. Not told when that happened within `open`. */
  onRequestBegun(): void;
  /** A new connection to the endpoint was made for the sake of this request. */
  onReached(endpoint: Endpoint): void;
  /** Bytes given to `attempt.data` have left for the socket, at once or later. */
  onRequestSent(bytes: number): void;
  /** An interim answer (1xx, never 101). */
  onInterimAnswer(block: HeaderBlock): void;
  /** The head of the final answer. */
  onAnswerHead(block: HeaderBlock, endStream: boolean): void;
  /** As {@link RequestReceiver.onRequestData}, with `attempt.consumed`. */
  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  /** The trailer section, which ends the answer. */
  onAnswerTrailers(block: HeaderBlock): void;
  /**
   * The attempt is over without (all of) an answer; nothing more comes and nothing more can be sent.
   * @param resetCode what the peer said with RST_STREAM; `internalError` when the connection broke
   */
  onAttemptFailed(failure: AttemptFailure, resetCode: number): void;
}

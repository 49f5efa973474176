import type { AttemptFailure, Endpoint, Rejection } from '@mesher/core';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { UpstreamLink, WaitingLine } from './upstream-link.js';

/**
 * Who sends a request over an upstream connection and gets its answer: the exchange of a client, a second attempt beside it, a copy,
 * or whoever throws away the rest of an answer.
 */
export interface UpstreamUser {
  /** The answer has no body, whatever its fields say. */
  readonly isHead: boolean;
  /** The chunks of the body are taken apart, and only their data is wanted. */
  readonly dechunk: boolean;
  /** Value of `Upgrade` in the request; undefined when it asks for no other protocol. */
  readonly upgrade: string | undefined;

  // === what the pool says after `acquire`

  /** A connection is being made; `onConnection` or `onAttemptFailed` follows. */
  onConnecting(connection: UpstreamLink): void;
  /** All connections are busy: the user stands in line until `line.leave`. */
  onWaiting(line: WaitingLine): void;
  onRefused(rejection: Rejection): void;
  /** A connection to the endpoint was made; `onConnection` follows. */
  onReached(endpoint: Endpoint): void;
  onConnection(connection: UpstreamLink): void;

  // === what the connection says

  /** The connection could not be made, or broke before the answer was complete. */
  onAttemptFailed(failure: AttemptFailure): void;
  onUpstreamDrained(): void;
  /** An interim answer (1xx). */
  onInformational(scan: ResponseScanner, buffer: Buffer, start: number): void;
  /**
   * The head of the final answer. The user may take itself off the connection: by `discard`, `abandon`, or by setting another user.
   * @param bodyEnd end of what is there of the body, or of all of it if `complete`
   * @param untilClose the end of the body is the end of the connection
   */
  onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void;
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /**
   * The trailer section of an answer in chunks, right before its end; asked for with {@link dechunk} only.
   * @param lines checked, each with its CRLF, one char per byte
   */
  onResponseTrailers?(lines: string): void;
  onResponseEnd(): void;
  /** The answer is complete and the upstream has closed, but the request is still being sent. */
  onUpstreamClosedEarly(): void;
  /** Status 101: the upstream speaks another protocol from `headEnd` on. */
  onUpgraded(buffer: Buffer, start: number, headEnd: number, end: number): void;
}

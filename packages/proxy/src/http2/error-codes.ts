/** Error codes of RST_STREAM and GOAWAY (RFC 9113, 7). */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What peers did against the rules or beyond the limits, as it is counted; constants, because they become a label of a metric. */
export type ViolationKind =
  | 'protocol'
  | 'flow-control'
  | 'stream-closed'
  | 'frame-size'
  | 'compression'
  | 'internal'
  | 'header-list'
  | 'header-bomb'
  | 'header-block'
  | 'continuation-flood'
  | 'reset-flood'
  | 'control-flood'
  | 'empty-data-flood'
  | 'window-update-flood'
  | 'concurrent-streams'
  | 'buffered-bytes'
  | 'unsent-bytes'
  | 'preface-timeout'
  | 'settings-timeout'
  | 'frame-timeout'
  | 'ping-timeout'
  | 'malformed-message';

/** How an error is counted that says nothing more exact. */
export function violationOf(code: ErrorCode): ViolationKind {
  switch (code) {
    case ErrorCode.flowControlError:
      return 'flow-control';
    case ErrorCode.streamClosed:
      return 'stream-closed';
    case ErrorCode.frameSizeError:
      return 'frame-size';
    case ErrorCode.compressionError:
      return 'compression';
    case ErrorCode.internalError:
      return 'internal';
    default:
      return 'protocol';
  }
}

/** A connection error (RFC 9113, 5.4.1): the connection ends with GOAWAY and this code. Errors of one stream are reported, not thrown. */
export class ConnectionError extends Error {
  /** @param code what GOAWAY says; `message` goes into its debug data, so it holds nothing of the peer's data */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly kind: ViolationKind = violationOf(code),
  ) {
    super(message);
    this.name = 'ConnectionError';
  }
}

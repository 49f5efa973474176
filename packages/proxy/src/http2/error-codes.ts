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

/** A connection error (RFC 9113, 5.4.1): the connection ends with GOAWAY and this code. Errors of one stream are reported, not thrown. */
export class ConnectionError extends Error {
  /** @param code what GOAWAY says; `message` goes into its debug data, so it holds nothing of the peer's data */
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ConnectionError';
  }
}

import type { ErrorCode } from '../error-codes.js';

/**
 * What a {@link FrameReader} found, in the order of the wire. Buffers belong to the reader: what is kept longer than the call must
 * be copied. Stream ids were checked to be zero or not; whether such a stream exists is the connection's business.
 * Methods may throw ConnectionError, which leaves {@link FrameReader.read}.
 */
export interface FrameSink {
  /**
   * A DATA frame begins; its payload follows as {@link dataPiece} in one or more pieces, at once or with later chunks.
   * @param flowBytes what it takes from both windows: payload, padding and the length of the padding (RFC 9113, 6.1)
   * @param paddingBytes the part of `flowBytes` that is no payload
   */
  dataBegins(streamId: number, flowBytes: number, paddingBytes: number, endStream: boolean): void;
  /** Payload of the present DATA frame; `isLast` with the last piece, which may be empty. Always called at least once per frame. */
  dataPiece(buffer: Buffer, start: number, end: number, isLast: boolean): void;
  /**
   * A complete header block, which must be decoded whatever happens to the stream.
   * @param isSelfDependent the stream depends on itself, a stream error PROTOCOL_ERROR once the block is decoded (RFC 7540, 5.3.1)
   */
  headers(
    streamId: number,
    endStream: boolean,
    buffer: Buffer,
    start: number,
    end: number,
    isSelfDependent: boolean,
  ): void;
  reset(streamId: number, code: number): void;
  /** One known setting with a valid value; {@link settingsEnd} follows, and must be answered with an acknowledgement. */
  setting(id: number, value: number): void;
  settingsEnd(): void;
  settingsAcknowledged(): void;
  /** 8 bytes of a PING at `start`, to be sent back unless it is an answer itself. */
  ping(buffer: Buffer, start: number, isAnswer: boolean): void;
  goaway(lastStreamId: number, code: number, buffer: Buffer, start: number, end: number): void;
  /** @param increment 1 to 2^31-1; streamId 0 is the connection */
  windowUpdate(streamId: number, increment: number): void;
  /** A frame without effect: PRIORITY, or of an unknown type. To be counted, because it costs time. */
  ignored(streamId: number, type: number): void;
  /** A stream error (RFC 9113, 5.4.2) in a frame that is otherwise ignored. The stream may be idle or closed. */
  streamError(streamId: number, code: ErrorCode, problem: string): void;
}

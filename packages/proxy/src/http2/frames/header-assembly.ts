import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Flag, FrameType } from './frame-format.js';
import type { FrameSink } from './frame-sink.js';

/** Bounds of a header block in encoded form. */
export interface HeaderAssemblyLimits {
  /** Most CONTINUATION frames after one HEADERS. */
  readonly maxContinuations: number;
  /** Largest block that is spread over several frames, in bytes. */
  readonly maxBlockBytes: number;
}

const NO_BYTES = Buffer.alloc(0);

/** Header blocks that are spread over HEADERS and CONTINUATION frames (RFC 9113, 6.10), which no other frame may interrupt. */
export class HeaderAssembly {
  readonly #limits: HeaderAssemblyLimits;
  /** Stream of the open block; 0 when there is none. */
  #streamId = 0;
  #endStream = false;
  #isSelfDependent = false;
  #buffer: Buffer = NO_BYTES;
  #length = 0;
  #frames = 0;

  constructor(limits: HeaderAssemblyLimits) {
    this.#limits = limits;
  }

  /** True while a block is not complete. */
  get isOpen(): boolean {
    return this.#streamId !== 0;
  }

  /** Refuses a frame that may not come now. @throws ConnectionError PROTOCOL_ERROR */
  checkNext(type: number, streamId: number): void {
    const isContinuation = type === FrameType.continuation;
    if (this.#streamId === 0 ? !isContinuation : isContinuation && streamId === this.#streamId) return;
    const problem = isContinuation ? 'CONTINUATION without its HEADERS' : 'a frame within a header block';
    throw new ConnectionError(ErrorCode.protocolError, problem);
  }

  /** Begins a block with the fragment of a HEADERS frame, which is copied. */
  begin(
    streamId: number,
    endStream: boolean,
    buffer: Buffer,
    start: number,
    end: number,
    selfDependent: boolean,
  ): void {
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#isSelfDependent = selfDependent;
    this.#frames = 0;
    this.#length = 0;
    this.#append(buffer, start, end);
  }

  /**
   * Adds the fragment of a CONTINUATION frame and reports the block when it is complete.
   * @throws ConnectionError ENHANCE_YOUR_CALM beyond the limits: each empty frame costs the sender 9 bytes and us more
   */
  continue(flags: number, buffer: Buffer, start: number, end: number, sink: FrameSink): void {
    if (++this.#frames > this.#limits.maxContinuations) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'too many CONTINUATION frames', 'continuation-flood');
    }
    this.#append(buffer, start, end);
    if ((flags & Flag.endHeaders) === 0) return;
    const streamId = this.#streamId;
    const block = this.#buffer;
    this.#streamId = 0;
    this.#buffer = NO_BYTES;
    sink.headers(streamId, this.#endStream, block, 0, this.#length, this.#isSelfDependent);
  }

  #append(buffer: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#limits.maxBlockBytes) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, 'header block too large', 'header-block');
    }
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(Math.max(length, this.#buffer.length * 2), this.#limits.maxBlockBytes),
      );
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    buffer.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }
}

import { frameSizeError, protocolError, readControlFrame } from './control-frames.js';
import { HeaderAssembly, type HeaderAssemblyLimits } from './header-assembly.js';
import {
  CLIENT_PREFACE,
  FRAME_HEADER_BYTES,
  Flag,
  FrameType,
  MIN_MAX_FRAME_BYTES,
  PRIORITY_BYTES,
  readUint31,
} from './frame-format.js';
import type { FrameSink } from './frame-sink.js';

/** First size of the buffer for cut frames; frames other than DATA and HEADERS fit. */
const FIRST_CARRY_BYTES = 512;
/** A larger buffer is not kept, because most cut frames are small and connections are many. */
const KEPT_CARRY_BYTES = 4096;

export interface FrameReaderOptions extends HeaderAssemblyLimits {
  /** Largest payload, as our SETTINGS_MAX_FRAME_SIZE says. */
  readonly maxFrameBytes: number;
  /** True for a server: the client's preface comes first. */
  readonly expectsPreface: boolean;
}

/**
 * Reads the frames of one connection from chunks of any size (RFC 9113, 4 and 6). A frame that lies in one chunk is read in place; a
 * frame other than DATA that is cut by a chunk's end is copied once; DATA is passed on as it comes.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameBytes: number;
  readonly #assembly: HeaderAssembly;
  /** Bytes of the preface that are still to come. */
  #prefaceLeft: number;
  #hasSettings = false;
  #isStopped = false;
  #completed = 0;

  /** Beginning of a frame that was cut by the end of a chunk. */
  #carry: Buffer | undefined = undefined;
  #carried = 0;
  /** Payload of the present DATA frame that is still to come; -1 outside of one. */
  #dataLeft = -1;

  constructor(options: FrameReaderOptions, sink: FrameSink) {
    this.#sink = sink;
    this.#maxFrameBytes = Math.max(options.maxFrameBytes, MIN_MAX_FRAME_BYTES);
    this.#assembly = new HeaderAssembly(options);
    this.#prefaceLeft = options.expectsPreface ? CLIENT_PREFACE.length : 0;
  }

  /** True while a frame or a header block is not complete: its sender must not take for ever. */
  get isWithinFrame(): boolean {
    return this.#carried > 0 || this.#dataLeft >= 0 || this.#assembly.isOpen || this.#prefaceLeft > 0;
  }

  /** Frames and header blocks that were read to their end: while it stays the same, {@link isWithinFrame} means the same one. */
  get completed(): number {
    return this.#completed;
  }

  /** The connection has ended: the rest of the chunk and all further ones are thrown away. */
  stop(): void {
    this.#isStopped = true;
    this.#carry = undefined;
  }

  /**
   * Reads `[start, end)` of a chunk, which may be overwritten afterwards.
   * @throws ConnectionError when the connection has to end with its code
   */
  read(chunk: Buffer, start: number, end: number): void {
    let at = this.#prefaceLeft > 0 ? this.#readPreface(chunk, start, end) : start;
    while (at < end && !this.#isStopped) {
      if (this.#dataLeft >= 0) at = this.#readData(chunk, at, end);
      else if (this.#carried > 0) at = this.#completeCarried(chunk, at, end);
      else if (end - at < FRAME_HEADER_BYTES) at = this.#keep(chunk, at, end);
      else {
        const length = this.#begin(chunk, at);
        const isStreamed = this.#isStreamed(chunk, at);
        if (!isStreamed && end - at < FRAME_HEADER_BYTES + length) at = this.#keep(chunk, at, end);
        else {
          this.#frame(chunk, at, length);
          at += FRAME_HEADER_BYTES + (isStreamed ? 0 : length);
        }
      }
      if (!this.isWithinFrame) this.#completed++;
    }
  }

  #readPreface(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#prefaceLeft > 0 && at < end) {
      if (chunk[at++] !== CLIENT_PREFACE[CLIENT_PREFACE.length - this.#prefaceLeft]) throw protocolError('no preface');
      this.#prefaceLeft--;
    }
    return at;
  }

  /** Checks the header at `at` as far as it can be checked without the payload; returns the payload's length. */
  #begin(buffer: Buffer, at: number): number {
    const length = (buffer[at] << 16) | (buffer[at + 1] << 8) | buffer[at + 2];
    const type = buffer[at + 3];
    if (!this.#hasSettings && (type !== FrameType.settings || (buffer[at + 4] & Flag.ack) !== 0)) {
      throw protocolError('first frame is no SETTINGS');
    }
    if (length > this.#maxFrameBytes) throw frameSizeError('frame');
    this.#assembly.checkNext(type, readUint31(buffer, at + 5));
    return length;
  }

  /** DATA without padding is passed on as it comes; padded DATA is rare and waits until it is complete. */
  #isStreamed(buffer: Buffer, at: number): boolean {
    return buffer[at + 3] === FrameType.data && (buffer[at + 4] & Flag.padded) === 0;
  }

  #keep(chunk: Buffer, at: number, end: number): number {
    this.#reserve(end - at);
    chunk.copy(this.#carry as Buffer, this.#carried, at, end);
    this.#carried += end - at;
    return end;
  }

  #reserve(bytes: number): void {
    const needed = this.#carried + bytes;
    if (this.#carry !== undefined && this.#carry.length >= needed) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, FIRST_CARRY_BYTES));
    if (this.#carry !== undefined) this.#carry.copy(larger, 0, 0, this.#carried);
    this.#carry = larger;
  }

  /** Adds to the cut frame, and reads it when it is complete. */
  #completeCarried(chunk: Buffer, start: number, end: number): number {
    let at = this.#fillCarry(chunk, start, end, FRAME_HEADER_BYTES);
    if (this.#carried < FRAME_HEADER_BYTES) return at;
    const carry = this.#carry as Buffer;
    const length = this.#begin(carry, 0);
    if (this.#isStreamed(carry, 0)) {
      this.#carried = 0;
      this.#frame(carry, 0, length);
      return at;
    }
    at = this.#fillCarry(chunk, at, end, FRAME_HEADER_BYTES + length);
    if (this.#carried < FRAME_HEADER_BYTES + length) return at;
    this.#carried = 0;
    const complete = this.#carry as Buffer;
    if (complete.length > KEPT_CARRY_BYTES) this.#carry = undefined;
    this.#frame(complete, 0, length);
    return at;
  }

  #fillCarry(chunk: Buffer, at: number, end: number, wanted: number): number {
    const missing = Math.min(wanted - this.#carried, end - at);
    if (missing <= 0) return at;
    // Room for the whole frame at once, so that small chunks do not copy it again and again.
    this.#reserve(Math.max(missing, wanted - this.#carried));
    chunk.copy(this.#carry as Buffer, this.#carried, at, at + missing);
    this.#carried += missing;
    return at + missing;
  }

  #readData(chunk: Buffer, at: number, end: number): number {
    const bytes = Math.min(this.#dataLeft, end - at);
    this.#dataLeft -= bytes;
    const isLast = this.#dataLeft === 0;
    if (isLast) this.#dataLeft = -1;
    this.#sink.dataPiece(chunk, at, at + bytes, isLast);
    return at + bytes;
  }

  /** Reads the frame whose header is at `at`; the payload follows it, except for streamed DATA. */
  #frame(buffer: Buffer, at: number, length: number): void {
    const type = buffer[at + 3];
    const flags = buffer[at + 4];
    const streamId = readUint31(buffer, at + 5);
    const start = at + FRAME_HEADER_BYTES;
    switch (type) {
      case FrameType.data:
        return this.#data(streamId, flags, buffer, start, length);
      case FrameType.headers:
        return this.#headers(streamId, flags, buffer, start, length);
      case FrameType.continuation:
        return this.#assembly.continue(flags, buffer, start, start + length, this.#sink);
      default:
        if (type === FrameType.settings) this.#hasSettings = true;
        return readControlFrame(type, flags, streamId, buffer, start, length, this.#sink);
    }
  }

  #data(streamId: number, flags: number, buffer: Buffer, start: number, length: number): void {
    if (streamId === 0) throw protocolError('DATA on stream 0');
    const endStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.padded) === 0) {
      this.#sink.dataBegins(streamId, length, 0, endStream);
      if (length === 0) this.#sink.dataPiece(buffer, start, start, true);
      else this.#dataLeft = length;
      return;
    }
    if (length < 1) throw frameSizeError('padded DATA');
    const padding = buffer[start] + 1;
    if (padding > length) throw protocolError('DATA with more padding than payload');
    this.#sink.dataBegins(streamId, length, padding, endStream);
    if (!this.#isStopped) this.#sink.dataPiece(buffer, start + 1, start + 1 + length - padding, true);
  }

  #headers(streamId: number, flags: number, buffer: Buffer, payload: number, length: number): void {
    if (streamId === 0) throw protocolError('HEADERS on stream 0');
    let start = payload;
    let end = payload + length;
    if ((flags & Flag.padded) !== 0) {
      if (length < 1) throw frameSizeError('padded HEADERS');
      end -= buffer[start++];
      if (end < start) throw protocolError('HEADERS with more padding than payload');
    }
    let isSelfDependent = false;
    if ((flags & Flag.priority) !== 0) {
      if (end - start < PRIORITY_BYTES) throw frameSizeError('HEADERS');
      isSelfDependent = readUint31(buffer, start) === streamId;
      start += PRIORITY_BYTES;
    }
    const endStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) === 0) {
      this.#assembly.begin(streamId, endStream, buffer, start, end, isSelfDependent);
      return;
    }
    this.#sink.headers(streamId, endStream, buffer, start, end, isSelfDependent);
  }
}

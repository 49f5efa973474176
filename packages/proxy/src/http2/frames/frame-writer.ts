import type { ErrorCode } from '../error-codes.js';
import type { BlockEdits } from '../hpack/block-edits.js';
import type { HpackEncoder } from '../hpack/encoder.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { HeaderField } from '../hpack/header-field.js';
import { CLIENT_PREFACE, FRAME_HEADER_BYTES, Flag, FrameType, MIN_MAX_FRAME_BYTES } from './frame-format.js';
import type { OutputBuffer } from './output-buffer.js';

/** Bytes of one setting. */
const SETTING_BYTES = 6;
const PING_BYTES = 8;
const GOAWAY_BYTES = 8;
const CODE_BYTES = 4;
/** Up to here a loop is faster than the call into the runtime that copies. */
const LOOP_BYTES = 192;
/** Longest text in the debug data of GOAWAY; ours are one sentence. */
const MAX_DEBUG_BYTES = 256;

/** Largest payload that we send: every peer accepts it, and small frames share a connection better than large ones. */
export const MAX_SENT_FRAME_BYTES = MIN_MAX_FRAME_BYTES;

/** Writes frames (RFC 9113, 6) into the output of one connection. Flow control is the caller's business. */
export class FrameWriter {
  readonly #output: OutputBuffer;
  readonly #encoder: HpackEncoder;

  constructor(output: OutputBuffer, encoder: HpackEncoder) {
    this.#output = output;
    this.#encoder = encoder;
  }

  /** What a client sends before its SETTINGS. */
  preface(): void {
    this.#output.reserve(CLIENT_PREFACE.length);
    CLIENT_PREFACE.copy(this.#output.bytes, this.#output.at);
    this.#output.at += CLIENT_PREFACE.length;
  }

  /** @param settings `[id, value]` in the order in which they are to be sent */
  settings(settings: readonly (readonly [id: number, value: number])[]): void {
    const length = settings.length * SETTING_BYTES;
    this.#begin(length, FrameType.settings, 0, 0);
    for (const [id, value] of settings) {
      this.#output.bytes[this.#output.at++] = id >>> 8;
      this.#output.bytes[this.#output.at++] = id;
      this.#uint32(value);
    }
  }

  settingsAcknowledgement(): void {
    this.#begin(0, FrameType.settings, Flag.ack, 0);
  }

  /** A PING with the 8 bytes at `start`; an answer repeats those of the question. */
  ping(opaque: Buffer, start: number, isAnswer: boolean): void {
    this.#begin(PING_BYTES, FrameType.ping, isAnswer ? Flag.ack : 0, 0);
    opaque.copy(this.#output.bytes, this.#output.at, start, start + PING_BYTES);
    this.#output.at += PING_BYTES;
  }

  /** @param debug a sentence for whoever looks at the connection */
  goaway(lastStreamId: number, code: ErrorCode, debug: string = ''): void {
    const text = Buffer.from(debug, 'latin1').subarray(0, MAX_DEBUG_BYTES);
    const length = GOAWAY_BYTES + text.length;
    this.#begin(length, FrameType.goaway, 0, 0);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    text.copy(this.#output.bytes, this.#output.at);
    this.#output.at += text.length;
  }

  /** @param code of the error table, or whatever the peer of the other side said */
  reset(streamId: number, code: number): void {
    this.#begin(CODE_BYTES, FrameType.rstStream, 0, streamId);
    this.#uint32(code);
  }

  /** @param increment 1 to 2^31-1; streamId 0 is the connection */
  windowUpdate(streamId: number, increment: number): void {
    this.#begin(CODE_BYTES, FrameType.windowUpdate, 0, streamId);
    this.#uint32(increment);
  }

  /** A DATA frame with `[start, end)`, at most {@link MAX_SENT_FRAME_BYTES}, which is copied. */
  data(streamId: number, source: Buffer, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    this.#begin(length, FrameType.data, endStream ? Flag.endStream : 0, streamId);
    const { bytes, at } = this.#output;
    if (length > LOOP_BYTES) source.copy(bytes, at, start, end);
    else for (let i = 0; i < length; i++) bytes[at + i] = source[start + i];
    this.#output.at = at + length;
  }

  /**
   * A header block: `block` with `edits`, and `added` behind it. One HEADERS frame, with CONTINUATION when it is too large for
   * one.
   */
  headers(
    streamId: number,
    block: HeaderBlock,
    endStream: boolean,
    edits?: BlockEdits,
    added?: readonly HeaderField[],
  ): void {
    let bound = block.encodedBound + (edits?.bound ?? 0);
    if (added !== undefined) for (let i = 0; i < added.length; i++) bound += added[i].size;
    if (bound > MAX_SENT_FRAME_BYTES) return this.#longHeaders(streamId, bound, block, endStream, edits, added);
    const output = this.#output;
    output.reserve(FRAME_HEADER_BYTES + bound);
    const start = output.at + FRAME_HEADER_BYTES;
    const end = this.#encode(output.bytes, start, block, edits, added);
    const flags = Flag.endHeaders | (endStream ? Flag.endStream : 0);
    this.#header(end - start, FrameType.headers, flags, streamId);
    output.at = end;
  }

  #longHeaders(
    streamId: number,
    bound: number,
    block: HeaderBlock,
    endStream: boolean,
    edits: BlockEdits | undefined,
    added: readonly HeaderField[] | undefined,
  ): void {
    const encoded = Buffer.allocUnsafe(bound);
    const end = this.#encode(encoded, 0, block, edits, added);
    let at = 0;
    do {
      const length = Math.min(end - at, MAX_SENT_FRAME_BYTES);
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      const last = at + length === end ? Flag.endHeaders : 0;
      this.#begin(length, type, last | (at === 0 && endStream ? Flag.endStream : 0), streamId);
      encoded.copy(this.#output.bytes, this.#output.at, at, at + length);
      this.#output.at += length;
      at += length;
    } while (at < end);
  }

  #encode(
    out: Buffer,
    start: number,
    block: HeaderBlock,
    edits: BlockEdits | undefined,
    added: readonly HeaderField[] | undefined,
  ): number {
    let at = this.#encoder.encode(out, start, block, edits);
    if (added !== undefined) for (let i = 0; i < added.length; i++) at = this.#encoder.encodeField(out, at, added[i]);
    return at;
  }

  /** Makes room for a frame and writes its header. */
  #begin(length: number, type: FrameType, flags: number, streamId: number): void {
    this.#output.reserve(FRAME_HEADER_BYTES + length);
    this.#header(length, type, flags, streamId);
    this.#output.at += FRAME_HEADER_BYTES;
  }

  #header(length: number, type: FrameType, flags: number, streamId: number): void {
    const { bytes, at } = this.#output;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = streamId >>> 24;
    bytes[at + 6] = streamId >>> 16;
    bytes[at + 7] = streamId >>> 8;
    bytes[at + 8] = streamId;
  }

  #uint32(value: number): void {
    const { bytes, at } = this.#output;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#output.at = at + 4;
  }
}

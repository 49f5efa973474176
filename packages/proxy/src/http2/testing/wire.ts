import { ConnectionError } from '../error-codes.js';
import { FrameReader, type FrameReaderOptions } from '../frames/frame-reader.js';
import { HpackDecoder, type DecoderLimits } from '../hpack/decoder.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { HuffmanDecoder } from '../hpack/huffman.js';
import { RecordingSink } from './recording-sink.js';

/** A frame in bytes. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer | readonly number[] = []): Buffer {
  const bytes = Buffer.from(payload as Buffer);
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export const EMPTY_SETTINGS: Buffer = frame(4, 0, 0);

export const READER_OPTIONS: FrameReaderOptions = {
  maxFrameBytes: 16_384,
  maxContinuations: 16,
  maxBlockBytes: 65_536,
  expectsPreface: false,
};

/** What a reader found in `bytes`, fed in chunks of these sizes in turn; a connection error is the last event. */
export function readFrames(
  bytes: Buffer,
  chunkSizes: readonly number[] = [bytes.length],
  options: Partial<FrameReaderOptions> = {},
): RecordingSink {
  const sink = new RecordingSink();
  const reader = new FrameReader({ ...READER_OPTIONS, ...options }, sink);
  try {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const end = Math.min(at + Math.max(chunkSizes[i % chunkSizes.length], 1), bytes.length);
      const chunk = Buffer.from(bytes.subarray(at, end));
      reader.read(chunk, 0, chunk.length);
      chunk.fill(0xee); // a chunk is overwritten by the next read
      at = end;
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    sink.events.push(`connection error ${error.code}`);
  }
  return sink;
}

export const DECODER_LIMITS: DecoderLimits = {
  maxTableBytes: 4096,
  maxListBytes: 65_536,
  maxFields: 128,
  maxStringBytes: 65_536,
};

export function newDecoder(limits: Partial<DecoderLimits> = {}): HpackDecoder {
  return new HpackDecoder({ ...DECODER_LIMITS, ...limits }, new HuffmanDecoder());
}

export function decodeHex(decoder: HpackDecoder, hex: string): HeaderBlock {
  const bytes = Buffer.from(hex.replace(/\s/g, ''), 'hex');
  return decoder.decode(bytes, 0, bytes.length);
}

/** Fields as `name: value` lines. */
export function lines(block: HeaderBlock): string[] {
  return block.fields.map(({ name, value }) => `${name}: ${value}`);
}

/** The code of the connection error that `act` throws. */
export function errorCodeOf(act: () => unknown): number | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ConnectionError) return error.code;
    throw error;
  }
  return undefined;
}

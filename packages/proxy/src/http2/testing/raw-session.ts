import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameReader } from '../frames/frame-reader.js';
import { FrameWriter } from '../frames/frame-writer.js';
import { OutputBuffer } from '../frames/output-buffer.js';
import { OutputPool } from '../frames/output-pool.js';
import type { HpackDecoder } from '../hpack/decoder.js';
import { HpackEncoder } from '../hpack/encoder.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { RecordingSink } from './recording-sink.js';
import { READER_OPTIONS, newDecoder } from './wire.js';

/** The codec on a real socket without any rules of a connection: enough to talk to Node's own HTTP/2, and to say anything. */
export class RawSession extends RecordingSink {
  readonly encoder = new HpackEncoder();
  readonly writer: FrameWriter;
  readonly output: OutputBuffer;
  /** Blocks in the order in which they arrived. */
  readonly blocks: HeaderBlock[] = [];
  readonly ended: Promise<unknown>;
  readonly #decoder: HpackDecoder;
  #waiting: ((block: HeaderBlock) => void) | undefined;

  constructor(
    readonly socket: Socket,
    isServer: boolean,
    tableBytes = 4096,
    settings: readonly (readonly [id: number, value: number])[] = [[1, tableBytes]],
  ) {
    super();
    this.#decoder = newDecoder({ maxTableBytes: tableBytes });
    const owner = { outputDrained: (): void => undefined, outputOverflowed: (): void => void socket.destroy() };
    this.output = new OutputBuffer(socket, new OutputPool(), owner, 16_777_216);
    this.writer = new FrameWriter(this.output, this.encoder);
    const reader = new FrameReader({ ...READER_OPTIONS, expectsPreface: isServer }, this);
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.read(chunk, 0, chunk.length);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    this.ended = once(socket, 'close');
    if (!isServer) this.writer.preface();
    this.writer.settings(settings);
  }

  static async connect(port: number, tableBytes?: number): Promise<RawSession> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawSession(socket, false, tableBytes);
  }

  /** Called for each block; tests replace it. */
  onBlock: (streamId: number, block: HeaderBlock) => void = () => undefined;

  /** The next header block that arrives. */
  nextBlock(): Promise<HeaderBlock> {
    const next = new Promise<HeaderBlock>((resolve) => {
      this.#waiting = resolve;
    });
    const closed = this.ended.then(() => Promise.reject(new Error('the connection was closed')));
    return Promise.race([next, closed]);
  }

  override headers(streamId: number, end: boolean, buffer: Buffer, from: number, to: number, self: boolean): void {
    super.headers(streamId, end, buffer, from, to, self);
    const block = this.#decoder.decode(buffer, from, to);
    this.blocks.push(block);
    this.onBlock(streamId, block);
    this.#waiting?.(block);
  }

  override setting(id: number, value: number): void {
    super.setting(id, value);
    if (id === 1) this.encoder.limitTable(value);
  }

  override settingsEnd(): void {
    super.settingsEnd();
    this.writer.settingsAcknowledgement();
  }

  override settingsAcknowledged(): void {
    super.settingsAcknowledged();
    this.#decoder.settingsAcknowledged();
  }
}

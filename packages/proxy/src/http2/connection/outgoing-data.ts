import { FRAME_HEADER_BYTES } from '../frames/frame-format.js';
import { MAX_SENT_FRAME_BYTES, type FrameWriter } from '../frames/frame-writer.js';
import type { OutputBuffer } from '../frames/output-buffer.js';
import { sendableBytes, SendWindow } from '../flow/send-window.js';
import type { FloodGuard } from './flood-guard.js';
import type { Http2Stream } from './http2-stream.js';
import type { PeerSettings } from './peer-settings.js';
import { ReadyStreams } from './ready-streams.js';

const NO_BYTES = Buffer.alloc(0);

/** DATA of all streams of one connection on its way out: the windows of both levels, the socket, and whose turn it is. */
export class OutgoingData {
  readonly #window = new SendWindow();
  readonly #ready = new ReadyStreams();

  constructor(
    private readonly output: OutputBuffer,
    private readonly writer: FrameWriter,
    private readonly peer: PeerSettings,
    private readonly guard: FloodGuard,
  ) {}

  /** True while DATA can leave. A socket that has not taken everything counts as a window of 0. */
  get canSend(): boolean {
    return !this.output.isStuck && this.#window.available > 0;
  }

  /**
   * Writes as much of a piece as windows and socket allow.
   * @param endStream END_STREAM goes with the last byte
   * @returns bytes written; 0 for an empty piece, whose end goes through {@link end}
   */
  send(stream: Http2Stream, buffer: Buffer, start: number, end: number, endStream: boolean): number {
    let at = start;
    const maxFrame = Math.min(this.peer.maxFrameBytes, MAX_SENT_FRAME_BYTES);
    while (at < end && !this.output.isStuck) {
      const bytes = sendableBytes(end - at, stream.sendWindow, this.#window, maxFrame);
      if (bytes <= 0) break;
      // Making room may show that the socket is stuck, and then the frame has to wait like any other.
      this.output.reserve(FRAME_HEADER_BYTES + bytes);
      if (this.output.isStuck) break;
      this.writer.data(stream.id, buffer, at, at + bytes, endStream && at + bytes === end);
      this.guard.dataSent();
      stream.sendWindow.take(bytes);
      this.#window.take(bytes);
      at += bytes;
    }
    return at - start;
  }

  /** END_STREAM alone, which needs no window (RFC 9113, 6.9.1). @returns false while the socket takes nothing */
  end(stream: Http2Stream): boolean {
    if (this.output.isStuck) return false;
    this.writer.data(stream.id, NO_BYTES, 0, 0, true);
    return true;
  }

  /** A stream has something that could not be sent. */
  waits(stream: Http2Stream): void {
    if (stream.isReady) this.#ready.add(stream);
  }

  /** A stream has ended. */
  leave(stream: Http2Stream): void {
    this.#ready.delete(stream);
  }

  /** WINDOW_UPDATE of the connection. @returns false beyond 2^31-1 */
  grow(increment: number): boolean {
    if (!this.#window.grow(increment)) return false;
    this.serve();
    return true;
  }

  /** WINDOW_UPDATE of a stream. @returns false beyond 2^31-1 */
  growStream(stream: Http2Stream, increment: number): boolean {
    if (!stream.sendWindow.grow(increment)) return false;
    this.waits(stream);
    // Otherwise it has only joined those that wait for the connection.
    if (this.canSend) this.serve();
    return true;
  }

  /**
   * SETTINGS_INITIAL_WINDOW_SIZE, which changes all open streams, below zero too (RFC 9113, 6.9.2); {@link serve} follows with the end of
   * the SETTINGS.
   * @returns false beyond 2^31-1
   */
  resize(bytes: number, streams: ReadonlyMap<number, Http2Stream>): boolean {
    if (!this.peer.initialWindow.change(bytes, windowsOf(streams))) return false;
    for (const stream of streams.values()) this.waits(stream);
    return true;
  }

  /** Lets those send that wait for the connection. */
  serve(): void {
    this.#ready.serve(this);
  }
}

function* windowsOf(streams: ReadonlyMap<number, Http2Stream>): Iterable<SendWindow> {
  for (const { sendWindow } of streams.values()) yield sendWindow;
}

import type { Socket } from 'node:net';
import { Deadline } from '../../deadlines.js';
import type { Environment } from '../../environment.js';
import type { SocketOwner } from '../../socket-owner.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { ReceiveWindow } from '../flow/receive-window.js';
import { sendableBytes, SendWindow } from '../flow/send-window.js';
import { Setting } from '../frames/frame-format.js';
import { FrameReader } from '../frames/frame-reader.js';
import type { FrameSink } from '../frames/frame-sink.js';
import { FrameWriter, MAX_SENT_FRAME_BYTES } from '../frames/frame-writer.js';
import { OutputBuffer, type OutputOwner } from '../frames/output-buffer.js';
import { HpackDecoder } from '../hpack/decoder.js';
import { HpackEncoder } from '../hpack/encoder.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2Limits } from '../limits.js';
import type { Http2Stream } from './http2-stream.js';
import { PeerSettings } from './peer-settings.js';
import { ReadyStreams } from './ready-streams.js';
import { ResetMemory } from './reset-memory.js';

/**
 * One HTTP/2 connection (RFC 9113) in either role: frames in, frames out, flow control, and the streams between. What streams carry
 * is the business of their users; which streams there may be is that of the role.
 */
export abstract class Http2Connection extends Deadline implements FrameSink, OutputOwner, SocketOwner {
  readonly limits: Http2Limits;
  readonly peer = new PeerSettings();
  readonly output: OutputBuffer;
  readonly writer: FrameWriter;
  protected readonly streams = new Map<number, Http2Stream>();
  protected readonly reader: FrameReader;
  /** The connection is over: nothing is read or written any more. */
  protected isGone = false;
  /** No new streams: GOAWAY was sent or received. */
  protected isDraining = false;
  readonly #encoder: HpackEncoder;
  readonly #decoder: HpackDecoder;
  readonly #sendWindow = new SendWindow();
  readonly #receiveWindow: ReceiveWindow;
  readonly #ready = new ReadyStreams();
  readonly #resets = new ResetMemory();
  /** Stream of the present DATA frame; undefined when nobody wants its payload. */
  #dataStream: Http2Stream | undefined;
  #dataEnds = false;

  constructor(
    protected readonly socket: Socket,
    protected readonly env: Environment,
    isServer: boolean,
  ) {
    super();
    const limits = (this.limits = env.options.http2);
    this.#encoder = new HpackEncoder(limits.headerTableBytes);
    this.#decoder = new HpackDecoder(
      {
        maxTableBytes: limits.headerTableBytes,
        maxListBytes: limits.maxHeaderListBytes,
        maxFields: limits.maxHeaderFields,
        maxStringBytes: limits.maxHeaderListBytes,
      },
      env.huffman,
    );
    this.#receiveWindow = ReceiveWindow.ofConnection(limits.connectionWindow);
    this.output = new OutputBuffer(socket, env.outputPool, this, limits.maxUnsentBytes);
    this.writer = new FrameWriter(this.output, this.#encoder);
    this.reader = new FrameReader(
      {
        maxFrameBytes: limits.maxFrameBytes,
        maxContinuations: limits.maxContinuations,
        maxBlockBytes: limits.maxHeaderBlockBytes,
        expectsPreface: isServer,
      },
      this,
    );
  }

  /** Streams that are open. */
  get openStreams(): number {
    return this.streams.size;
  }

  // === what differs between the roles

  /** What this side announces, as `[id, value]`. */
  protected abstract readonly settings: readonly (readonly [id: number, value: number])[];
  /** No frame but HEADERS may name such a stream yet (RFC 9113, 5.1, idle). */
  protected abstract isIdle(streamId: number): boolean;
  /** Highest stream of the peer that was or may have been acted on, for GOAWAY. */
  protected abstract readonly lastStreamId: number;
  /** A header section has come for a stream; `stream` is undefined when there is none (yet). */
  protected abstract headReceived(
    streamId: number,
    stream: Http2Stream | undefined,
    block: HeaderBlock,
    endStream: boolean,
    isSelfDependent: boolean,
  ): void;
  /** A stream is over, whatever way it ended, and is no longer among {@link streams}. */
  protected abstract streamClosed(stream: Http2Stream): void;
  /** The SETTINGS of the peer are in effect. */
  protected abstract settingsReceived(): void;
  protected abstract goawayReceived(lastStreamId: number, code: number): void;
  /** The socket is closed; all streams were told. */
  protected abstract onGone(): void;

  /** Begins to speak: preface, SETTINGS, and the window of the connection. */
  protected begin(isServer: boolean): void {
    if (!isServer) this.writer.preface();
    this.writer.settings(this.settings);
    const increment = this.#receiveWindow.announce();
    if (increment > 0) this.writer.windowUpdate(0, increment);
  }

  // === the socket

  onData(chunk: Buffer): void {
    this.read(chunk, 0, chunk.length);
  }

  onEnd(): void {
    // Half-closed connections are of no use to HTTP/2: nothing can be acknowledged any more.
    this.destroy();
  }

  onDrain(): void {
    // the output has asked for a notice of its own
  }

  onError(_error: Error): void {
    // 'close' follows
  }

  onClose(): void {
    this.destroy();
  }

  /** Reads a chunk, which may be overwritten afterwards. */
  protected read(chunk: Buffer, start: number, end: number): void {
    if (this.isGone) return;
    try {
      this.reader.read(chunk, start, end);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.message);
      else {
        this.env.logger.error({ error }, 'an HTTP/2 connection failed');
        this.fail(ErrorCode.internalError, 'internal error');
      }
    }
  }

  // === output

  outputDrained(): void {
    this.#ready.serve(this);
  }

  outputOverflowed(): void {
    this.destroy();
  }

  /** True while DATA can leave. */
  get canSend(): boolean {
    return !this.output.isStuck && this.#sendWindow.available > 0;
  }

  /**
   * Writes as much of a piece as windows and socket allow.
   * @param endStream END_STREAM goes with the last byte
   * @returns bytes written; 0 for an empty piece, whose end goes through {@link sendEnd}
   */
  sendData(stream: Http2Stream, buffer: Buffer, start: number, end: number, endStream: boolean): number {
    let at = start;
    const maxFrame = Math.min(this.peer.maxFrameBytes, MAX_SENT_FRAME_BYTES);
    while (at < end && !this.output.isStuck) {
      const bytes = sendableBytes(end - at, stream.sendWindow, this.#sendWindow, maxFrame);
      if (bytes <= 0) break;
      this.writer.data(stream.id, buffer, at, at + bytes, endStream && at + bytes === end);
      stream.sendWindow.take(bytes);
      this.#sendWindow.take(bytes);
      at += bytes;
    }
    return at - start;
  }

  /** END_STREAM alone, which needs no window (RFC 9113, 6.9.1). @returns false while the socket takes nothing */
  sendEnd(stream: Http2Stream): boolean {
    if (this.output.isStuck) return false;
    this.writer.data(stream.id, NO_BYTES, 0, 0, true);
    return true;
  }

  /** A stream has something that could not be sent. */
  waits(stream: Http2Stream): void {
    if (stream.isReady) this.#ready.add(stream);
  }

  // === streams

  /** Ends a stream of ours with RST_STREAM. */
  resetStream(stream: Http2Stream, code: number): void {
    this.#resets.add(stream.id);
    this.writer.reset(stream.id, code);
    this.close(stream);
  }

  /** The peer has broken a rule on one stream (RFC 9113, 5.4.2). */
  protected failStream(stream: Http2Stream, code: ErrorCode, problem: string): void {
    if (stream.isClosed) return;
    this.resetStream(stream, code);
    stream.broken(code, false, problem);
  }

  closeIfDone(stream: Http2Stream): void {
    if (stream.isLocalEnded && stream.isRemoteEnded) this.close(stream);
  }

  protected close(stream: Http2Stream): void {
    if (stream.isClosed) return;
    stream.isClosed = true;
    this.streams.delete(stream.id);
    this.#ready.delete(stream);
    this.released(stream.heldBytes);
    stream.heldBytes = 0;
    if (this.#dataStream === stream) this.#dataStream = undefined;
    this.env.deadlines.remove(stream);
    this.streamClosed(stream);
  }

  /** The window of a stream is opened by so many bytes. */
  openStream(stream: Http2Stream, increment: number): void {
    this.writer.windowUpdate(stream.id, increment);
  }

  /** Bytes that had been held for a stream were given back. */
  released(_bytes: number): void {
    // counted against the bounds of the connection and of the process
  }

  // === frames

  dataBegins(streamId: number, flowBytes: number, paddingBytes: number, endStream: boolean): void {
    if (!this.#receiveWindow.take(flowBytes)) {
      throw new ConnectionError(ErrorCode.flowControlError, 'more DATA than the window of the connection');
    }
    const increment = this.#receiveWindow.giveBack(flowBytes);
    if (increment > 0) this.writer.windowUpdate(0, increment);
    this.#dataStream = undefined;
    this.#dataEnds = endStream;
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#refuseFrame(streamId, 'DATA');
      return;
    }
    if (stream.isRemoteEnded) {
      this.failStream(stream, ErrorCode.streamClosed, 'DATA after the end of the message');
      return;
    }
    const problem = stream.dataBegins(flowBytes, paddingBytes, endStream);
    if (problem !== undefined) this.failStream(stream, problem, 'DATA that is more or less than announced');
    else {
      this.#dataStream = stream;
      if (paddingBytes > 0) stream.consumed(paddingBytes);
    }
  }

  dataPiece(buffer: Buffer, start: number, end: number, isLast: boolean): void {
    const stream = this.#dataStream;
    if (stream === undefined) return;
    if (isLast) this.#dataStream = undefined;
    stream.dataPiece(buffer, start, end, isLast && this.#dataEnds);
  }

  headers(
    streamId: number,
    endStream: boolean,
    buffer: Buffer,
    start: number,
    end: number,
    isSelfDependent: boolean,
  ): void {
    // Also for streams that are gone: the table would no longer match the peer's.
    const block = this.#decoder.decode(buffer, start, end);
    const stream = this.streams.get(streamId);
    if (stream?.isRemoteEnded === true) {
      this.failStream(stream, ErrorCode.streamClosed, 'HEADERS after the end of the message');
    } else this.headReceived(streamId, stream, block, endStream, isSelfDependent);
  }

  reset(streamId: number, code: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, 'RST_STREAM on an idle stream');
      return;
    }
    this.close(stream);
    stream.broken(code, true, 'the peer has reset the stream');
  }

  setting(id: number, value: number): void {
    if (id === Setting.headerTableSize) this.#encoder.limitTable(value);
    else if (id === Setting.initialWindowSize) {
      if (!this.peer.initialWindow.change(value, sendWindows(this.streams.values()))) {
        throw new ConnectionError(ErrorCode.flowControlError, 'a window beyond 2^31-1');
      }
      for (const stream of this.streams.values()) this.waits(stream);
    } else this.peer.take(id, value);
  }

  settingsEnd(): void {
    this.peer.hasCome = true;
    this.writer.settingsAcknowledgement();
    this.#ready.serve(this);
    this.settingsReceived();
  }

  settingsAcknowledged(): void {
    this.#decoder.settingsAcknowledged();
  }

  ping(buffer: Buffer, start: number, isAnswer: boolean): void {
    if (!isAnswer) this.writer.ping(buffer, start, true);
  }

  goaway(lastStreamId: number, code: number, _buffer: Buffer, _start: number, _end: number): void {
    this.goawayReceived(lastStreamId, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (!this.#sendWindow.grow(increment)) {
        throw new ConnectionError(ErrorCode.flowControlError, 'a window beyond 2^31-1');
      }
      this.#ready.serve(this);
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, 'WINDOW_UPDATE on an idle stream');
    } else if (!stream.sendWindow.grow(increment)) {
      this.failStream(stream, ErrorCode.flowControlError, 'a window beyond 2^31-1');
    } else if (stream.isReady) {
      this.#ready.add(stream);
      this.#ready.serve(this);
    }
  }

  ignored(_streamId: number, _type: number): void {
    // counted by the guard against floods
  }

  streamError(streamId: number, code: ErrorCode, problem: string): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.failStream(stream, code, problem);
    else if (this.isIdle(streamId)) throw new ConnectionError(code, problem);
    else this.writer.reset(streamId, code);
  }

  // === the end

  /** Ends the connection with GOAWAY (RFC 9113, 5.4.1). */
  protected fail(code: ErrorCode, problem: string): void {
    if (this.isGone) return;
    this.writer.goaway(this.lastStreamId, code, problem);
    this.finish(code, problem);
  }

  /**
   * Sends what was written, then the end. What the peer still sends is read and thrown away for a moment: closing with unread bytes
   * would reset the connection, and the reset may overtake what was written.
   */
  protected finish(code: ErrorCode, problem: string): void {
    if (this.isGone) return;
    this.output.flush();
    this.socket.end();
    this.#end(code, problem);
    this.env.deadlines.arm(this, this.env.options.lingerTimeout);
  }

  /** Ends everything at once. */
  destroy(): void {
    this.socket.destroy();
    this.env.deadlines.remove(this);
    if (!this.isGone) this.#end(ErrorCode.internalError, 'the connection is closed');
  }

  override onDeadline(): void {
    // so far only the linger of `finish`
    this.destroy();
  }

  #end(code: ErrorCode, problem: string): void {
    this.isGone = true;
    this.reader.stop();
    this.output.close();
    for (const stream of [...this.streams.values()]) {
      this.close(stream);
      stream.broken(code, false, problem);
    }
    this.onGone();
  }

  /** What was on its way when we reset the stream is no error (RFC 9113, 5.1). */
  protected wasReset(streamId: number): boolean {
    return this.#resets.has(streamId);
  }

  /** A frame for a stream that is none any more. */
  #refuseFrame(streamId: number, frame: string): void {
    if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, `${frame} on an idle stream`);
    if (!this.wasReset(streamId)) this.writer.reset(streamId, ErrorCode.streamClosed);
  }
}

const NO_BYTES = Buffer.alloc(0);

function* sendWindows(streams: Iterable<Http2Stream>): Iterable<SendWindow> {
  for (const { sendWindow } of streams) yield sendWindow;
}

import type { Socket } from 'node:net';
import type { Environment } from '../../environment.js';
import { ConnectionError, ErrorCode, violationOf } from '../error-codes.js';
import { Setting } from '../frames/frame-format.js';
import type { BudgetHolder } from '../flow/buffer-budget.js';
import { FrameReader } from '../frames/frame-reader.js';
import type { FrameSink } from '../frames/frame-sink.js';
import { FrameWriter } from '../frames/frame-writer.js';
import { HpackDecoder } from '../hpack/decoder.js';
import { HpackEncoder } from '../hpack/encoder.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { Wait } from './connection-times.js';
import { FloodGuard } from './flood-guard.js';
import type { Http2Stream } from './http2-stream.js';
import { Http2Transport } from './http2-transport.js';
import { IncomingData } from './incoming-data.js';
import { OutgoingData } from './outgoing-data.js';
import { PeerSettings } from './peer-settings.js';
import { ResetMemory } from './reset-memory.js';

/**
 * One HTTP/2 connection (RFC 9113) in either role: frames in, frames out, and the streams between. What streams carry is the business
 * of their users; which streams there may be is that of the role.
 */
export abstract class Http2Connection extends Http2Transport implements FrameSink, BudgetHolder {
  readonly peer = new PeerSettings();
  readonly writer: FrameWriter;
  readonly outgoing: OutgoingData;
  readonly incoming: IncomingData;
  protected readonly streams = new Map<number, Http2Stream>();
  protected readonly reader: FrameReader;
  protected readonly guard: FloodGuard;
  /** No new streams: GOAWAY was sent or received. */
  protected isDraining = false;
  readonly #encoder: HpackEncoder;
  readonly #decoder: HpackDecoder;
  readonly #resets = new ResetMemory();
  readonly #isServer: boolean;
  /** Stream of the present DATA frame; undefined when nobody wants its payload. */
  #dataStream: Http2Stream | undefined;
  #dataEnds = false;
  /** SETTINGS of ours that were not acknowledged yet. */
  #unacknowledged = 0;

  constructor(socket: Socket, env: Environment, isServer: boolean) {
    super(socket, env);
    const { limits } = this;
    this.#isServer = isServer;
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
    this.writer = new FrameWriter(this.output, this.#encoder);
    this.guard = new FloodGuard(limits, env.deadlines);
    this.outgoing = new OutgoingData(this.output, this.writer, this.peer, this.guard);
    this.incoming = new IncomingData(limits, env.http2Buffered, this.writer, isServer ? this : undefined);
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

  /** The peer has reset a stream or broken a rule on it, before it was over. */
  protected streamFailed(_stream: Http2Stream): void {
    // servers count it
  }

  /** A PING of ours was answered. */
  protected pingAnswered(_buffer: Buffer, _start: number): void {
    // for the role that asks
  }

  /** Begins to speak: preface, SETTINGS, and the window of the connection. */
  protected begin(isServer: boolean): void {
    if (!isServer) this.writer.preface();
    this.writer.settings(this.settings);
    this.#unacknowledged++;
    this.times.expect(Wait.settings, this.limits.settingsTimeout);
    this.incoming.begin();
  }

  // === streams

  /** A stream has something that could not be sent. */
  waits(stream: Http2Stream): void {
    this.outgoing.waits(stream);
  }

  /** Ends a stream of ours with RST_STREAM. */
  resetStream(stream: Http2Stream, code: number): void {
    this.env.stats.http2ResetsSent++;
    this.#resets.add(stream.id);
    this.writer.reset(stream.id, code);
    this.close(stream);
  }

  /** Refuses a stream that the peer has opened; nothing was made for it. */
  protected resetUnopened(streamId: number, code: ErrorCode): void {
    this.#resets.add(streamId);
    this.writer.reset(streamId, code);
  }

  /** The peer has broken a rule on one stream (RFC 9113, 5.4.2). */
  protected failStream(stream: Http2Stream, code: ErrorCode, problem: string): void {
    if (stream.isClosed) return;
    this.countViolation(code === ErrorCode.protocolError ? 'malformed-message' : violationOf(code));
    this.resetStream(stream, code);
    stream.broken(code, false, problem);
    this.streamFailed(stream);
  }

  get waitingBytes(): number {
    return this.incoming.waitingBytes;
  }

  giveUpHeaviest(): void {
    let heaviest: Http2Stream | undefined;
    for (const stream of this.streams.values()) {
      if (heaviest === undefined || stream.waitingBytes > heaviest.waitingBytes) heaviest = stream;
    }
    if (heaviest === undefined) return;
    this.countViolation('buffered-bytes');
    this.resetStream(heaviest, ErrorCode.enhanceYourCalm);
    heaviest.broken(ErrorCode.enhanceYourCalm, false, 'too much waits for all calls');
  }

  closeIfDone(stream: Http2Stream): void {
    if (stream.isLocalEnded && stream.isRemoteEnded) this.close(stream);
  }

  protected close(stream: Http2Stream): void {
    if (stream.isClosed) return;
    stream.isClosed = true;
    this.streams.delete(stream.id);
    this.outgoing.leave(stream);
    this.incoming.leave(stream);
    stream.forget();
    if (this.#dataStream === stream) this.#dataStream = undefined;
    this.env.deadlines.remove(stream);
    this.streamClosed(stream);
  }

  // === frames

  dataBegins(streamId: number, flowBytes: number, paddingBytes: number, endStream: boolean): void {
    if (!this.incoming.take(flowBytes)) {
      throw new ConnectionError(ErrorCode.flowControlError, 'more DATA than the window of the connection');
    }
    if (flowBytes === paddingBytes && !endStream) this.guard.emptyData();
    this.#dataStream = undefined;
    this.#dataEnds = endStream;
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, 'DATA on an idle stream');
      this.#dataOfNone(streamId, flowBytes === paddingBytes);
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

  /** DATA that nobody wants. What is on its way when we reset a stream has content, and is bounded by the windows. */
  #dataOfNone(streamId: number, isEmpty: boolean): void {
    const wasReset = this.wasReset(streamId);
    if (!wasReset || isEmpty) this.guard.controlFrame();
    if (!wasReset) this.writer.reset(streamId, ErrorCode.streamClosed);
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
      this.guard.controlFrame();
      return;
    }
    this.close(stream);
    this.env.stats.http2ResetsReceived++;
    stream.broken(code, true, 'the peer has reset the stream');
    this.streamFailed(stream);
  }

  setting(id: number, value: number): void {
    // One frame has room for thousands, and each size of windows is a walk over all streams.
    this.guard.controlFrame();
    if (id === Setting.headerTableSize) this.#encoder.limitTable(value);
    else if (id === Setting.initialWindowSize) {
      if (!this.outgoing.resize(value, this.streams)) {
        throw new ConnectionError(ErrorCode.flowControlError, 'a window beyond 2^31-1');
      }
    } else if (id === Setting.enablePush && value === 1 && !this.#isServer) {
      throw new ConnectionError(ErrorCode.protocolError, 'a server that allows pushes (RFC 9113, 6.5.2)');
    } else this.peer.take(id, value);
  }

  settingsEnd(): void {
    this.guard.controlFrame();
    this.peer.hasCome = true;
    this.writer.settingsAcknowledgement();
    this.outgoing.serve();
    this.settingsReceived();
  }

  settingsAcknowledged(): void {
    // Acknowledgements of nothing are no error, but work.
    if (this.#unacknowledged === 0) {
      this.guard.controlFrame();
      return;
    }
    this.#unacknowledged--;
    this.#decoder.settingsAcknowledged();
    this.times.settle(Wait.settings);
  }

  /** True once the peer has acknowledged our SETTINGS: from then on it knows our limits. */
  protected get knowsOurSettings(): boolean {
    return this.#unacknowledged === 0;
  }

  ping(buffer: Buffer, start: number, isAnswer: boolean): void {
    this.guard.controlFrame();
    if (isAnswer) this.pingAnswered(buffer, start);
    else this.writer.ping(buffer, start, true);
  }

  goaway(lastStreamId: number, code: number, _buffer: Buffer, _start: number, _end: number): void {
    this.guard.controlFrame();
    this.goawayReceived(lastStreamId, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.guard.windowUpdate();
    if (streamId === 0) {
      if (this.outgoing.grow(increment)) return;
      throw new ConnectionError(ErrorCode.flowControlError, 'a window beyond 2^31-1');
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, 'WINDOW_UPDATE on an idle stream');
    } else if (!this.outgoing.growStream(stream, increment)) {
      this.failStream(stream, ErrorCode.flowControlError, 'a window beyond 2^31-1');
    }
  }

  ignored(_streamId: number, _type: number): void {
    this.guard.controlFrame();
  }

  streamError(streamId: number, code: ErrorCode, problem: string): void {
    this.guard.controlFrame();
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.failStream(stream, code, problem);
    else if (this.isIdle(streamId)) throw new ConnectionError(code, problem);
    else this.writer.reset(streamId, code);
  }

  protected endStreams(code: ErrorCode, problem: string): void {
    for (const stream of [...this.streams.values()]) {
      this.close(stream);
      stream.broken(code, false, problem);
    }
    this.incoming.stop();
  }

  /** What was on its way when we reset the stream is no error (RFC 9113, 5.1). */
  protected wasReset(streamId: number): boolean {
    return this.#resets.has(streamId);
  }
}

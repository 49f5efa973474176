import { Deadline } from '../../deadlines.js';
import { ErrorCode } from '../error-codes.js';
import { ReceiveWindow } from '../flow/receive-window.js';
import { SendWindow } from '../flow/send-window.js';
import { isLengthBroken } from '../header-rules.js';
import type { BlockEdits } from '../hpack/block-edits.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { HeaderField } from '../hpack/header-field.js';
import type { Http2Limits } from '../limits.js';
import type { Http2Connection } from './http2-connection.js';
import { OutgoingQueue } from './outgoing-queue.js';

/** What of a queue is sent before the next stream of the connection has its turn. */
const TURN_BYTES = 16_384;

/** Usual heads are smaller, come again and share memory. All streams of a connection with the largest would hold its bound. */
const COUNTED_HEAD_BYTES = 4096;

/**
 * One stream (RFC 9113, 5): both halves, their windows, and what waits to be sent. A call needs no more of HTTP/2 than this; the
 * connection behind it is shared with others.
 */
export abstract class Http2Stream extends Deadline {
  /** 0 while a request waits for its place on a connection. */
  id = 0;
  /** Where it is; a request that waits for its place is nowhere yet, and has id 0. */
  connection!: Http2Connection;
  readonly sendWindow = new SendWindow();
  /** The peer has sent END_STREAM. */
  isRemoteEnded = false;
  /** We have sent END_STREAM. */
  isLocalEnded = false;
  /** Both sides have ended, or one of them has reset the stream: nothing more comes and nothing can be sent. */
  isClosed = false;
  /** Bytes that have come and were not given back yet, padding included. */
  heldBytes = 0;
  /** Size of the peer's head where that is worth counting; see {@link holdHead}. */
  #headBytes = 0;
  /** What the message of the peer announced, -1 for nothing; see {@link isLengthBroken}. */
  protected contentLength = -1;
  readonly #receiveWindow: ReceiveWindow;
  #received = 0;
  #endsBoth = false;
  #queue: OutgoingQueue | undefined = undefined;

  constructor({ streamWindow }: Http2Limits) {
    super();
    this.#receiveWindow = new ReceiveWindow(streamWindow);
  }

  /** The stream has ended: what waited of it is of no use. */
  forget(): void {
    this.connection.incoming.count(-this.waitingBytes);
    this.heldBytes = 0;
    this.#headBytes = 0;
    if (!this.mayBeginAgain) this.#queue = undefined;
  }

  /** The stream gets its place. */
  attach(connection: Http2Connection, id: number): void {
    this.connection = connection;
    this.id = id;
    connection.incoming.count(this.queuedBytes);
    this.sendWindow.reset(connection.peer.initialWindow.bytes);
  }

  /** Bytes that wait here to be sent. */
  get queuedBytes(): number {
    return this.#queue === undefined ? 0 : this.#queue.bytes;
  }

  /** The head of the peer stays for as long as the stream: large ones count among what waits. */
  holdHead(bytes: number): void {
    if (bytes < COUNTED_HEAD_BYTES) return;
    this.#headBytes = bytes;
    this.connection.incoming.count(bytes);
  }

  /** Bytes that wait here in either direction, and a large head. */
  get waitingBytes(): number {
    return this.heldBytes + this.queuedBytes + this.#headBytes;
  }

  /** True while something waits that the window of the stream would let pass. */
  get isReady(): boolean {
    const queue = this.#queue;
    return queue !== undefined && this.id !== 0 && (queue.bytes === 0 || this.sendWindow.available > 0);
  }

  // === what the role makes of it

  /** The stream may get another place, on another connection: what waits of it is kept. */
  protected get mayBeginAgain(): boolean {
    return false;
  }

  /** A piece of the peer's message. */
  protected abstract dataReceived(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  /** Bytes that were given to {@link data} have left. */
  protected abstract dataSent(bytes: number): void;
  /**
   * The stream has ended before its time; it is closed already.
   * @param code of RST_STREAM, by the peer or by us
   * @param byPeer true when the peer has reset it; false when it broke a rule, or with its connection
   */
  abstract broken(code: number, byPeer: boolean, problem: string): void;

  // === sending

  /** A header section; heads need no window. Trailers go through {@link trailers}. */
  protected writeHead(
    block: HeaderBlock,
    endStream: boolean,
    edits: BlockEdits | undefined,
    added: readonly HeaderField[] | undefined,
  ): void {
    this.connection.writer.headers(this.id, block, endStream, edits, added);
    if (endStream) this.#endLocal();
  }

  /** A piece of the body; taken whole, copied when windows or the socket hold it up. */
  data(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.isClosed || this.isLocalEnded || this.#queue?.isEnded === true) return;
    let at = start;
    if (this.#queue === undefined && this.id !== 0) {
      const { outgoing } = this.connection;
      const sent = outgoing.send(this, buffer, start, end, endStream);
      at += sent;
      const isDone = at === end && (sent > 0 || !endStream || outgoing.end(this));
      if (isDone && endStream) this.#endLocal();
      if (sent > 0) this.dataSent(sent);
      if (isDone || this.isClosed) return;
    }
    const queue = (this.#queue ??= new OutgoingQueue());
    queue.add(buffer, at, end);
    queue.isEnded = endStream;
    if (this.id === 0) return;
    this.connection.incoming.count(end - at);
    this.connection.outgoing.waits(this);
  }

  /** Ends our message with a trailer section, after what waits. */
  trailers(block: HeaderBlock): void {
    if (this.isClosed || this.isLocalEnded || this.#queue?.isEnded === true) return;
    if (this.#queue === undefined && this.id !== 0) {
      this.writeHead(block, true, undefined, undefined);
      return;
    }
    const queue = (this.#queue ??= new OutgoingQueue());
    queue.isEnded = true;
    queue.trailers = block;
    if (this.id !== 0) this.connection.outgoing.waits(this);
  }

  /**
   * Sends what windows and socket allow, one turn of it.
   * @returns true when something was sent
   */
  sendQueued(): boolean {
    const queue = this.#queue;
    if (queue === undefined || this.isClosed) return false;
    const { outgoing, incoming } = this.connection;
    let budget = TURN_BYTES;
    let total = 0;
    for (let piece = queue.first; piece !== undefined && budget > 0; piece = queue.first) {
      const end = Math.min(queue.firstEnd, queue.at + budget);
      const isLast = queue.isEnded && queue.trailers === undefined && queue.bytes === end - queue.at;
      const wanted = end - queue.at;
      const sent = outgoing.send(this, piece, queue.at, end, isLast);
      if (sent === 0) break;
      queue.advance(sent);
      incoming.count(-sent);
      total += sent;
      budget -= sent;
      if (isLast && sent === wanted) {
        this.#queue = undefined;
        this.#endLocal();
      }
      if (sent < wanted || this.#queue === undefined) break;
    }
    const isOver = this.#queue !== undefined && queue.bytes === 0 && this.#sendRest(queue);
    if (total > 0) this.dataSent(total);
    return total > 0 || isOver;
  }

  /** Ends the stream with RST_STREAM; nothing more is told of it. Harmless when it is closed. */
  reset(code: number): void {
    if (this.isClosed) return;
    this.connection.resetStream(this, code);
  }

  // === receiving

  /** Bytes of the peer's message have left for the other side: the peer may send as many more. */
  consumed(bytes: number): void {
    if (this.isClosed) return;
    const { incoming } = this.connection;
    this.heldBytes -= bytes;
    incoming.count(-bytes);
    if (!this.isRemoteEnded) incoming.giveBack(this, this.#receiveWindow, bytes);
  }

  /**
   * A DATA frame of so many bytes begins.
   * @returns the stream error that it is, or undefined
   */
  dataBegins(flowBytes: number, paddingBytes: number, endStream: boolean): ErrorCode | undefined {
    if (!this.#receiveWindow.take(flowBytes)) return ErrorCode.flowControlError;
    this.#received += flowBytes - paddingBytes;
    if (isLengthBroken(this.contentLength, this.#received, endStream)) return ErrorCode.protocolError;
    this.heldBytes += flowBytes;
    this.connection.incoming.count(flowBytes);
    return undefined;
  }

  dataPiece(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (endStream) this.isRemoteEnded = true;
    this.dataReceived(buffer, start, end, endStream);
    if (endStream) this.connection.closeIfDone(this);
  }

  /** True when the message, which ends now without DATA, is not as long as announced. */
  protected get endsTooEarly(): boolean {
    return isLengthBroken(this.contentLength, this.#received, true);
  }

  /** Sends what needs no window: the end alone, or trailers. */
  #sendRest(queue: OutgoingQueue): boolean {
    if (this.connection.output.isStuck) return false;
    this.#queue = undefined;
    if (queue.trailers !== undefined) this.writeHead(queue.trailers, true, undefined, undefined);
    else if (queue.isEnded) {
      this.connection.outgoing.end(this);
      this.#endLocal();
    }
    return queue.isEnded;
  }

  /** Once our message is complete the stream is reset without an error, although the peer has not finished its own. */
  protected endsBoth(): void {
    this.#endsBoth = true;
    if (this.isLocalEnded) this.reset(ErrorCode.noError);
  }

  #endLocal(): void {
    this.isLocalEnded = true;
    if (this.#endsBoth && !this.isRemoteEnded) {
      this.reset(ErrorCode.noError);
      return;
    }
    this.connection.closeIfDone(this);
  }
}

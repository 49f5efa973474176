import type { Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import { own } from '../../socket-owner.js';
import { describeConnectError } from '../../upstream/connect-error.js';
import { ReadBuffer } from '../../upstream/read-buffer.js';
import { UpstreamSocket } from '../../upstream/upstream-socket.js';
import { Http2Connection } from '../connection/http2-connection.js';
import type { Http2Stream } from '../connection/http2-stream.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Setting, MAX_STREAM_ID } from '../frames/frame-format.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { StreamPool } from './stream-pool.js';
import type { UpstreamStream } from './upstream-stream.js';

/** The dialled side of HTTP/2: a connection to an instance, shared by the calls to it. */
export class Http2UpstreamConnection extends Http2Connection {
  /** An answer has come: only from then on is a lost connection no sign that the endpoint is none. */
  hasAnswered = false;
  /** The socket has closed, or will: what is under way ends without an answer. */
  isLost = false;
  isConnected = false;
  #nextId = 1;
  #failure: Error | undefined;

  /** Dials the endpoint; the pool hears of it. */
  static dial(endpoint: Endpoint, pool: StreamPool, env: Environment): Http2UpstreamConnection {
    const buffer = new ReadBuffer(env.readBuffers);
    const socket = new UpstreamSocket({
      buffer: () => buffer.bytes,
      callback: (length) => {
        connection.read(buffer.bytes, 0, length);
        if (length === buffer.bytes.length) buffer.grow();
        return true;
      },
    });
    const connection = new Http2UpstreamConnection(endpoint, pool, socket, buffer, env);
    return connection;
  }

  private constructor(
    readonly endpoint: Endpoint,
    private readonly pool: StreamPool,
    socket: UpstreamSocket,
    private readonly buffer: ReadBuffer,
    env: Environment,
  ) {
    super(socket, env, false);
    own(socket, this, false);
    socket.once('connect', () => this.#onConnected());
    socket.connect({ host: endpoint.host, port: endpoint.port });
    env.stats.upstreamConnects++;
    env.stats.upstreamOpen++;
    env.deadlines.arm(this, env.options.connectTimeout);
  }

  /** True while another stream may be opened. */
  get hasRoom(): boolean {
    if (!this.isConnected || this.isDraining || this.isGone || this.#nextId > MAX_STREAM_ID) return false;
    // Before its SETTINGS nobody knows how many streams the peer takes; one more than it takes is refused.
    const most = this.peer.hasCome ? Math.min(this.peer.maxConcurrentStreams, this.limits.maxUpstreamStreams) : 1;
    return this.openStreams < most;
  }

  /** Opens a stream; the caller has looked at {@link hasRoom}. */
  open(stream: UpstreamStream): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.streams.set(id, stream);
    this.env.deadlines.disarm(this);
    stream.begin(this, id);
  }

  /** Opens no further streams; closes when those that are under way have ended. */
  retire(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    if (this.openStreams === 0) this.finish(ErrorCode.noError, 'idle');
  }

  override read(chunk: Buffer, start: number, end: number): void {
    super.read(chunk, start, end);
  }

  override onEnd(): void {
    this.#lost();
  }

  override onError(error: Error): void {
    this.#failure = error;
  }

  override onClose(): void {
    this.#lost();
    this.buffer.release();
  }

  override onDeadline(): void {
    if (this.isGone) this.destroy();
    else if (!this.isConnected) {
      this.env.stats.timeouts++;
      this.#failure = new Error(`connect took longer than ${this.env.options.connectTimeout} ms`);
      this.#lost();
    } else this.retire();
  }

  protected get settings(): readonly (readonly [id: number, value: number])[] {
    const { limits } = this;
    return [
      [Setting.headerTableSize, limits.headerTableBytes],
      [Setting.enablePush, 0],
      [Setting.initialWindowSize, limits.streamWindow],
      [Setting.maxFrameSize, limits.maxFrameBytes],
      [Setting.maxHeaderListSize, limits.maxHeaderListBytes],
    ];
  }

  /** Peers open no streams here: pushes are refused. */
  protected get lastStreamId(): number {
    return 0;
  }

  protected isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.#nextId;
  }

  protected headReceived(
    streamId: number,
    stream: Http2Stream | undefined,
    block: HeaderBlock,
    endStream: boolean,
  ): void {
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.protocolError, 'HEADERS on an idle stream');
      return;
    }
    const problem = (stream as UpstreamStream).headReceived(block, endStream);
    if (problem !== undefined) this.failStream(stream, ErrorCode.protocolError, problem);
  }

  protected streamClosed(): void {
    if (this.isGone) return;
    if (this.openStreams === 0) {
      if (this.isDraining) {
        this.finish(ErrorCode.noError, 'no further calls');
        return;
      }
      this.env.deadlines.arm(this, this.limits.upstreamIdleTimeout);
    }
    this.pool.roomFreed();
  }

  protected settingsReceived(): void {
    this.pool.roomFreed();
  }

  protected goawayReceived(lastStreamId: number): void {
    this.isDraining = true;
    for (const [id, stream] of [...this.streams]) {
      if (id <= lastStreamId) continue;
      this.close(stream);
      stream.broken(ErrorCode.refusedStream, true, 'the peer goes away');
    }
    if (this.openStreams === 0) this.finish(ErrorCode.noError, 'the peer goes away');
    this.pool.roomFreed();
  }

  protected onGone(): void {
    this.env.stats.upstreamOpen--;
    this.pool.closed(this);
  }

  #onConnected(): void {
    if (this.isGone) return;
    this.isConnected = true;
    this.env.deadlines.disarm(this);
    this.begin(false);
    this.pool.connected();
  }

  #lost(): void {
    this.isLost = true;
    const reason = this.#failure === undefined ? 'closed the connection' : describeConnectError(this.#failure);
    const wasConnecting = !this.isConnected && !this.isGone;
    this.destroy();
    if (wasConnecting) this.pool.connectFailed(reason);
  }
}

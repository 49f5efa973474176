import type { Socket } from 'node:net';
import type { Environment } from '../../environment.js';
import { plainAddress } from '../../http1/server-fields.js';
import { Http2Connection } from '../connection/http2-connection.js';
import type { Http2Stream } from '../connection/http2-stream.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Setting } from '../frames/frame-format.js';
import { requestProblem, trailerProblem, type RequestRules } from '../header-rules.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { ServerStream } from './server-stream.js';
import type { StreamAcceptor } from './stream-acceptor.js';

const RULES: RequestRules = { extendedConnect: true };

/** What a listener is told of its HTTP/2 connections. */
export interface ServerConnectionOwner {
  closed(connection: Http2ServerConnection): void;
}

/** The accepted side of HTTP/2: the connection of a client, whose streams are calls. */
export class Http2ServerConnection extends Http2Connection {
  readonly remoteAddress: string;
  #lastStreamId = 0;

  constructor(
    socket: Socket,
    private readonly acceptor: StreamAcceptor,
    private readonly owner: ServerConnectionOwner,
    env: Environment,
  ) {
    super(socket, env, true);
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.begin(true);
  }

  armStream(stream: ServerStream, delayMs: number, latest: number): void {
    this.env.deadlines.arm(stream, delayMs, latest);
  }

  /** Takes no further calls; closes when those that are under way have ended. */
  drain(): void {
    if (this.isDraining || this.isGone) return;
    this.isDraining = true;
    this.writer.goaway(this.#lastStreamId, ErrorCode.noError);
    if (this.openStreams === 0) this.#finish();
  }

  protected get settings(): readonly (readonly [id: number, value: number])[] {
    const { limits } = this;
    return [
      [Setting.headerTableSize, limits.headerTableBytes],
      [Setting.maxConcurrentStreams, limits.maxConcurrentStreams],
      [Setting.initialWindowSize, limits.streamWindow],
      [Setting.maxFrameSize, limits.maxFrameBytes],
      [Setting.maxHeaderListSize, limits.maxHeaderListBytes],
      [Setting.enableConnectProtocol, 1],
    ];
  }

  protected get lastStreamId(): number {
    return this.#lastStreamId;
  }

  protected isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.#lastStreamId;
  }

  protected headReceived(
    streamId: number,
    stream: Http2Stream | undefined,
    block: HeaderBlock,
    endStream: boolean,
    isSelfDependent: boolean,
  ): void {
    if (stream !== undefined) this.#trailers(stream as ServerStream, block, endStream);
    else this.#request(streamId, block, endStream, isSelfDependent);
  }

  protected streamClosed(): void {
    if (this.isDraining && this.openStreams === 0 && !this.isGone) this.#finish();
  }

  protected settingsReceived(): void {
    // nothing of ours waits for them
  }

  protected goawayReceived(): void {
    this.isDraining = true;
    if (this.openStreams === 0) this.#finish();
  }

  protected onGone(): void {
    this.owner.closed(this);
  }

  #request(streamId: number, block: HeaderBlock, endStream: boolean, isSelfDependent: boolean): void {
    if ((streamId & 1) === 0)
      throw new ConnectionError(ErrorCode.protocolError, 'a stream of the client with an even id');
    if (streamId <= this.#lastStreamId) {
      if (this.wasReset(streamId)) return;
      throw new ConnectionError(ErrorCode.streamClosed, 'HEADERS on a closed stream');
    }
    // What comes after our last GOAWAY was promised not to be looked at.
    if (this.isDraining) return;
    this.#lastStreamId = streamId;
    if (this.openStreams >= this.limits.maxConcurrentStreams) {
      this.writer.reset(streamId, ErrorCode.refusedStream);
      return;
    }
    const problem = isSelfDependent ? 'a dependency on itself' : requestProblem(block, RULES);
    if (problem !== undefined || block.excess !== 'none') {
      this.writer.reset(streamId, ErrorCode.protocolError);
      return;
    }
    const stream = new ServerStream(this, streamId, block.summary?.contentLength ?? -1);
    stream.isRemoteEnded = endStream;
    this.streams.set(streamId, stream);
    const receiver = this.acceptor.accept(stream, block, endStream);
    if (!stream.isClosed) stream.receiver = receiver;
  }

  #trailers(stream: ServerStream, block: HeaderBlock, endStream: boolean): void {
    const problem = endStream ? trailerProblem(block) : 'a second header section that does not end it';
    if (problem !== undefined) {
      this.failStream(stream, ErrorCode.protocolError, problem);
      return;
    }
    const code = stream.trailersReceived(block);
    if (code !== undefined) this.failStream(stream, code, 'less DATA than announced');
  }

  #finish(): void {
    this.finish(ErrorCode.noError, 'no further calls');
  }
}

import type { Socket } from 'node:net';
import type { Environment } from '../../environment.js';
import { plainAddress } from '../../http1/server-fields.js';
import { Wait } from '../connection/connection-times.js';
import { Http2Connection } from '../connection/http2-connection.js';
import type { Http2Stream } from '../connection/http2-stream.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { MAX_STREAM_ID, Setting } from '../frames/frame-format.js';
import { readSettings } from '../frames/settings-payload.js';
import { requestProblem, trailerProblem, type RequestRules } from '../header-rules.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { refuseHead } from './refused-head.js';
import { ServerStream } from './server-stream.js';
import type { StreamAcceptor } from './stream-acceptor.js';

const RULES: RequestRules = { extendedConnect: true };
/** Eight bytes each: whether the client has seen our GOAWAY, and whether it is there at all. */
const DRAIN_PING = Buffer.from('goaway\0\0', 'latin1');
const LIFE_PING = Buffer.from('alive?\0\0', 'latin1');

/** What a listener is told of its HTTP/2 connections. */
export interface ServerConnectionOwner {
  /** The socket is closed. */
  closed(connection: Http2ServerConnection): void;
}

/** The accepted side of HTTP/2: the connection of a client, whose streams are calls. */
export class Http2ServerConnection extends Http2Connection {
  readonly remoteAddress: string;
  #lastStreamId = 0;
  /** GOAWAY was announced; calls are still taken until the client has seen it. */
  #isLeaving = false;
  /** The client has said goodbye: it closes with the last of its calls. */
  #isLeft = false;
  #lastReadAt = 0;
  #askedAt = 0;
  #isClosed = false;

  constructor(
    socket: Socket,
    private readonly acceptor: StreamAcceptor,
    private readonly owner: ServerConnectionOwner,
    env: Environment,
  ) {
    super(socket, env, true);
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.begin(true);
    this.times.expect(Wait.preface, this.limits.prefaceTimeout);
  }

  armStream(stream: ServerStream, delayMs: number, latest: number): void {
    this.env.deadlines.arm(stream, delayMs, latest);
  }

  /**
   * Closes when the calls that are under way have ended. The client learns that it is to open no more (GOAWAY with the highest id), and
   * only when it has seen that, which calls were taken: none that was on its way is lost (RFC 9113, 6.8).
   */
  drain(): void {
    if (this.#isLeaving || this.isGone) return;
    this.#isLeaving = true;
    this.writer.goaway(MAX_STREAM_ID, ErrorCode.noError);
    this.writer.ping(DRAIN_PING, 0, false);
    this.times.expect(Wait.drain, this.env.options.drainGrace);
  }

  /**
   * Takes over from HTTP/1 with the request that asked for it as stream 1 (RFC 7540, 3.2). To be called before anything is read.
   * @param head a request without a body that keeps to the rules of HTTP/2
   * @param settings payload of a SETTINGS frame that keeps to them, too; the answer to the upgrade has acknowledged it
   */
  adoptUpgrade(head: HeaderBlock, settings: Buffer): void {
    try {
      readSettings(0, settings, 0, settings.length, {
        setting: (id, value) => this.setting(id, value),
        settingsEnd: () => undefined,
        settingsAcknowledged: () => undefined,
      });
      this.#request(1, head, true, false);
    } catch (error) {
      // The client chose what stands in them, and nothing above catches what its connection says of that.
      this.failWith(error);
    }
  }

  override destroy(): void {
    super.destroy();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.owner.closed(this);
  }

  override expired(wait: Wait): void {
    if (wait === Wait.preface) this.#giveUp('preface-timeout', ErrorCode.protocolError, 'no SETTINGS in time');
    else if (wait === Wait.drain) this.#stopAccepting();
    else if (wait === Wait.idle) {
      if (this.openStreams === 0) this.drain();
    } else if (wait === Wait.silence) this.#askForLife();
    else if (wait === Wait.ping) this.#judgeSilence();
    else super.expired(wait);
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

  protected override read(chunk: Buffer, start: number, end: number): void {
    this.#lastReadAt = this.env.deadlines.now;
    super.read(chunk, start, end);
  }

  protected headReceived(
    streamId: number,
    stream: Http2Stream | undefined,
    block: HeaderBlock,
    endStream: boolean,
    isSelfDependent: boolean,
  ): void {
    if (stream !== undefined) this.#trailers(stream as ServerStream, block, endStream);
    else if (this.#isNew(streamId)) this.#request(streamId, block, endStream, isSelfDependent);
    // Decoded in vain.
    else this.guard.controlFrame();
  }

  protected streamClosed(): void {
    if (this.isGone || this.openStreams > 0) return;
    if (this.isDraining || this.#isLeft) this.#finish();
    else this.times.expect(Wait.idle, this.limits.idleTimeout);
  }

  protected override streamFailed(stream: Http2Stream): void {
    if (!(stream as ServerStream).hasAnswer) this.guard.reset();
  }

  protected settingsReceived(): void {
    if (!this.times.isExpecting(Wait.preface)) return;
    this.times.settle(Wait.preface);
    if (this.openStreams === 0) this.times.expect(Wait.idle, this.limits.idleTimeout);
  }

  protected goawayReceived(): void {
    this.#isLeft = true;
    if (this.openStreams === 0) this.#finish();
  }

  protected override pingAnswered(buffer: Buffer, start: number): void {
    if (this.times.isExpecting(Wait.drain) && isPing(DRAIN_PING, buffer, start)) this.#stopAccepting();
  }

  protected onGone(): void {
    // the owner hears of it when the socket is closed
  }

  // === calls

  /** False for a header section that is to be ignored. @throws ConnectionError for one that may not come */
  #isNew(streamId: number): boolean {
    if ((streamId & 1) === 0) {
      throw new ConnectionError(ErrorCode.protocolError, 'a stream of the client with an even id');
    }
    if (streamId <= this.#lastStreamId) {
      if (this.wasReset(streamId)) return false;
      throw new ConnectionError(ErrorCode.streamClosed, 'HEADERS on a closed stream');
    }
    // What comes after our last GOAWAY was promised not to be looked at.
    return !this.isDraining;
  }

  #request(streamId: number, block: HeaderBlock, endStream: boolean, isSelfDependent: boolean): void {
    this.#lastStreamId = streamId;
    this.guard.call();
    if (this.#isRefused(streamId)) return;
    if (isSelfDependent || (block.excess === 'none' && requestProblem(block, RULES, endStream) !== undefined)) {
      this.env.stats.malformedRequests++;
      this.countViolation('malformed-message');
      this.resetUnopened(streamId, ErrorCode.protocolError);
      this.guard.reset();
      return;
    }
    const stream = new ServerStream(this, streamId, block.summary?.contentLength ?? -1);
    stream.isRemoteEnded = endStream;
    stream.holdHead(block.listSize);
    this.streams.set(streamId, stream);
    this.#callBegins();
    if (block.excess !== 'none') {
      this.env.stats.malformedRequests++;
      this.countViolation('header-list');
      refuseHead(stream, block, this.limits);
      return;
    }
    const receiver = this.acceptor.accept(stream, block, endStream);
    if (!stream.isClosed) stream.receiver = receiver;
  }

  /** A call beyond a bound, which the client may repeat: it was not looked at (RFC 9113, 8.7). */
  #isRefused(streamId: number): boolean {
    const isTooMany = this.openStreams >= this.limits.maxConcurrentStreams;
    if (!isTooMany && !this.incoming.isFull) return false;
    this.countViolation(isTooMany ? 'concurrent-streams' : 'buffered-bytes');
    this.resetUnopened(streamId, ErrorCode.refusedStream);
    // Before it has our SETTINGS a client cannot know better.
    if (isTooMany && this.knowsOurSettings) this.guard.reset();
    return true;
  }

  #trailers(stream: ServerStream, block: HeaderBlock, endStream: boolean): void {
    let problem = endStream ? trailerProblem(block) : 'a second header section that does not end it';
    if (block.excess !== 'none') problem = 'trailers beyond the limits';
    if (problem === undefined && stream.trailersReceived(block)) return;
    this.failStream(stream, ErrorCode.protocolError, problem ?? 'less DATA than announced');
  }

  // === life and end

  #callBegins(): void {
    const { pingInterval } = this.limits;
    if (this.openStreams > 1 || pingInterval === 0) return;
    if (!this.times.isExpecting(Wait.silence)) this.times.expect(Wait.silence, pingInterval);
  }

  /** Calls wait for a client that may not be there any more: a machine that vanishes closes nothing. */
  #askForLife(): void {
    if (this.openStreams === 0) return;
    const { pingInterval, pingTimeout } = this.limits;
    const left = this.#lastReadAt + pingInterval - this.env.deadlines.now;
    if (left > 0) {
      this.times.expect(Wait.silence, left);
      return;
    }
    this.#askedAt = this.env.deadlines.now;
    this.writer.ping(LIFE_PING, 0, false);
    this.times.expect(Wait.ping, pingTimeout);
  }

  #judgeSilence(): void {
    if (this.#lastReadAt >= this.#askedAt) this.times.expect(Wait.silence, this.limits.pingInterval);
    else {
      this.countViolation('ping-timeout');
      this.destroy();
    }
  }

  #giveUp(kind: 'preface-timeout', code: ErrorCode, problem: string): void {
    this.countViolation(kind);
    this.fail(code, problem);
  }

  #stopAccepting(): void {
    this.times.settle(Wait.drain);
    this.isDraining = true;
    this.writer.goaway(this.#lastStreamId, ErrorCode.noError);
    if (this.openStreams === 0) this.#finish();
  }

  #finish(): void {
    this.finish(ErrorCode.noError, 'no further calls');
  }
}

function isPing(ping: Buffer, buffer: Buffer, start: number): boolean {
  return buffer.compare(ping, 0, ping.length, start, start + ping.length) === 0;
}

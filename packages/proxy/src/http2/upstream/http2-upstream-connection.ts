import type { Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import { ReadBuffer } from '../../upstream/read-buffer.js';
import { UpstreamSocket } from '../../upstream/upstream-socket.js';
import type { Http2Stream } from '../connection/http2-stream.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Setting } from '../frames/frame-format.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { ageLimit } from './age-limit.js';
import { DialledConnection } from './dialled-connection.js';
import { Keepalive } from './keepalive.js';
import { StreamIds } from './stream-ids.js';
import type { UpstreamStream } from './upstream-stream.js';

/** What of our PINGs tells them from others, if anybody looks. */
const PING = Buffer.from('mesher\0\0', 'latin1');

/** Who owns the connections to an endpoint. */
export interface UpstreamOwner {
  connected(): void;
  /** The first SETTINGS have come, or later ones. */
  ready(connection: Http2UpstreamConnection): void;
  /** A stream may be opened that could not before. */
  roomFreed(): void;
  /** It is over. All of its streams were told. */
  closed(connection: Http2UpstreamConnection): void;
}

/** The client role of HTTP/2: a connection to an instance, shared by the calls to it. */
export class Http2UpstreamConnection extends DialledConnection {
  /** It has answered, and since then not refused a call while it had no other. */
  hasAnswered = false;
  /** How often something was read. */
  reads = 0;
  #keepalive: Keepalive | undefined;
  /** Monotonic milliseconds from which on another connection takes its place. */
  #agedAt = Infinity;
  /** The last stream that the peer has refused, until another one ends: it has no room for more than it has. */
  #refusedId = 0;
  /** Monotonic milliseconds since when it has had no call. */
  #restingSince = 0;
  readonly #ids: StreamIds;

  /** Dials the endpoint; the owner hears of it. */
  static dial(
    endpoint: Endpoint,
    owner: UpstreamOwner,
    env: Environment,
    ids: StreamIds = new StreamIds(),
  ): Http2UpstreamConnection {
    const buffer = new ReadBuffer(env.readBuffers);
    const socket = new UpstreamSocket({
      buffer: () => buffer.bytes,
      callback: (length) => {
        connection.read(buffer.bytes, 0, length);
        if (length === buffer.bytes.length) buffer.grow();
        return true;
      },
    });
    const connection = new Http2UpstreamConnection(endpoint, owner, socket, buffer, env, ids);
    return connection;
  }

  private constructor(
    endpoint: Endpoint,
    private readonly owner: UpstreamOwner,
    socket: UpstreamSocket,
    buffer: ReadBuffer,
    env: Environment,
    ids: StreamIds,
  ) {
    super(endpoint, socket, buffer, env);
    this.#ids = ids;
  }

  // === for the pool

  /** It has carried calls, or could have: not what an endpoint does that is none. */
  get wasUseful(): boolean {
    return this.peer.hasCome && !this.#ids.isIdle(FIRST_ID);
  }

  /** The peer wants no calls now. */
  get isUnwilling(): boolean {
    return this.state === 'open' && this.peer.maxConcurrentStreams === 0;
  }

  /** Old enough for another one to take its place. */
  get isAged(): boolean {
    return this.env.deadlines.now >= this.#agedAt;
  }

  /** True while another stream may be opened. */
  get hasRoom(): boolean {
    if (this.state !== 'open' || this.isGone) return false;
    const { openStreams, peer } = this;
    // Before its SETTINGS nobody knows how many streams the peer takes; one more than it takes is refused.
    const most = peer.hasCome ? Math.min(peer.maxConcurrentStreams, this.limits.maxUpstreamStreams) : 1;
    if (openStreams >= most || (this.#refusedId !== 0 && openStreams > 0)) return false;
    // Who does not read what was sent gets no further calls; half of the bound leaves room for a head.
    return this.socket.writableLength <= this.limits.maxUnsentBytes / 2;
  }

  /** Opens a stream; the caller has looked at {@link hasRoom}. */
  open(stream: UpstreamStream): void {
    const isFirst = this.openStreams === 0;
    const id = this.#ids.next();
    this.streams.set(id, stream);
    this.env.stats.http2Upstream.streams++;
    this.#expect(isFirst);
    stream.begin(this, id);
    if (this.#ids.isUsedUp) this.retire();
  }

  /** Opens no further streams; closes when those that are under way have ended. */
  retire(): void {
    if (this.state !== 'open') return;
    this.isDraining = true;
    this.enter('draining');
    this.#leaveIfDone();
  }

  // === for the streams

  /** Whether a call that the peer has not looked at may be repeated as if it had met a connection that closed while it was idle. */
  refusedAfterWork(): boolean {
    const { hasAnswered } = this;
    // Who refuses everything is not asked for ever.
    if (this.openStreams === 0 && this.state === 'open') this.hasAnswered = false;
    return hasAnswered;
  }

  contentReceived(): void {
    this.#keepalive?.content();
  }

  /** The instance may take as long for the rest of a request that it has answered as a client may pause within one. */
  awaitRest(stream: UpstreamStream): void {
    this.env.deadlines.arm(stream, this.env.options.requestIdleTimeout);
  }

  // === what the socket says

  override read(chunk: Buffer, start: number, end: number): void {
    this.reads++;
    this.#keepalive?.heard(this.env.deadlines.now);
    super.read(chunk, start, end);
  }

  override outputDrained(): void {
    super.outputDrained();
    this.owner.roomFreed();
  }

  override onDeadline(): void {
    const { connectTimeout } = this.env.options;
    if (!this.isConnected) this.loseLate(`connect to ${this.endpoint.key} took longer than ${connectTimeout} ms`);
    else if (!this.peer.hasCome) this.loseLate(`sent no SETTINGS of HTTP/2 within ${this.limits.prefaceTimeout} ms`);
    else if (this.openStreams === 0 && this.#restLeft <= 0) this.retire();
    else this.#keepAlive();
  }

  // === what the peer says

  override reset(streamId: number, code: number): void {
    if (code === ErrorCode.refusedStream && this.streams.has(streamId)) {
      this.env.stats.http2Upstream.refused++;
      this.#refusedId = streamId;
    }
    super.reset(streamId, code);
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
    return this.#ids.isIdle(streamId);
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
    this.contentReceived();
    const problem = (stream as UpstreamStream).headReceived(block, endStream);
    if (problem !== undefined) this.failStream(stream, ErrorCode.protocolError, problem);
  }

  protected streamClosed(stream: Http2Stream): void {
    this.env.stats.http2Upstream.streams--;
    if (this.isGone) return;
    if (stream.id !== this.#refusedId) this.#refusedId = 0;
    if (this.openStreams === 0) {
      if (this.endpoint.retired) this.retire();
      else if (this.state === 'open' && this.peer.hasCome) this.#rest();
    }
    this.#leaveIfDone();
    this.owner.roomFreed();
  }

  protected settingsReceived(): void {
    const isFirst = this.#keepalive === undefined;
    if (isFirst) {
      const { now } = this.env.deadlines;
      this.#keepalive = new Keepalive(now);
      this.#agedAt = now + ageLimit(this.limits.maxConnectionAge, this.env.random);
    }
    this.owner.ready(this);
    if (!isFirst || this.isGone) return;
    if (this.openStreams > 0) this.env.deadlines.arm(this, this.limits.pingInterval || Infinity);
    else if (this.endpoint.retired) this.retire();
    else this.#rest();
  }

  protected goawayReceived(lastStreamId: number): void {
    this.env.stats.http2Upstream.goaways++;
    this.isDraining = true;
    if (this.state === 'open') this.enter('draining');
    const unprocessed = [...this.streams.values()].filter(({ id }) => id > lastStreamId);
    for (const stream of unprocessed) {
      if (stream.isClosed) continue;
      this.close(stream);
      stream.broken(ErrorCode.refusedStream, true, 'the peer goes away');
    }
    this.#leaveIfDone();
    this.owner.roomFreed();
  }

  protected onConnected(): void {
    this.owner.connected();
  }

  protected override onGone(): void {
    super.onGone();
    this.owner.closed(this);
  }

  // === inside

  /** A call is sent. */
  #expect(isFirst: boolean): void {
    const keepalive = this.#keepalive;
    if (keepalive === undefined) return;
    if (isFirst && !keepalive.isExpecting) this.env.deadlines.arm(this, this.limits.pingInterval || Infinity);
    keepalive.expect(this.env.deadlines.now, isFirst);
  }

  /** No call is left. */
  #rest(): void {
    this.#restingSince = this.env.deadlines.now;
    // Calls that were given up before anything was heard may have met a dead peer: the question whether it lives stands.
    if (!this.#isSuspect) this.env.deadlines.arm(this, this.#restLeft);
  }

  /** Milliseconds that it may still be without a call. */
  get #restLeft(): number {
    return this.#restingSince + this.limits.upstreamIdleTimeout - this.env.deadlines.now;
  }

  /** Nothing has been heard since a call was sent, and the peer will be asked. */
  get #isSuspect(): boolean {
    return this.limits.pingInterval > 0 && this.#keepalive?.isExpecting === true;
  }

  #keepAlive(): void {
    const restLeft = this.openStreams === 0 ? this.#restLeft : Infinity;
    if (restLeft !== Infinity && !this.#isSuspect) {
      this.env.deadlines.arm(this, restLeft);
      return;
    }
    const step = (this.#keepalive as Keepalive).step(
      this.env.deadlines.now,
      this.limits.pingInterval,
      this.limits.pingTimeout,
    );
    if (step.kind === 'dead') {
      this.env.stats.http2Upstream.unanswered++;
      this.loseLate(`did not answer a PING within ${this.limits.pingTimeout} ms`);
      return;
    }
    if (step.kind === 'ask') this.writer.ping(PING, 0, false);
    this.env.deadlines.arm(this, Math.min(step.ms, restLeft));
  }

  #leaveIfDone(): void {
    if (this.state !== 'draining' || this.openStreams > 0) return;
    this.writer.goaway(0, ErrorCode.noError);
    this.finish(ErrorCode.noError, 'no further calls');
  }
}

/** The id of the first call on a connection. */
const FIRST_ID = 1;

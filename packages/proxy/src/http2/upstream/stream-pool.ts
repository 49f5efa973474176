import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { Http2UpstreamConnection, type UpstreamOwner } from './http2-upstream-connection.js';
import { refusalOf } from './peer-limits.js';
import { UpstreamStream } from './upstream-stream.js';

/**
 * How often a request is sent once more that instances had not looked at. An instance that is replaced may say so twice to a request in
 * a row; who refuses more often refuses everything.
 */
const MAX_REPLAYS = 3;

/**
 * After a connect that failed, further connections beside those that work are not tried for so long: an instance that shuts down takes
 * no new ones while it still answers on the old, and each call would dial again.
 */
const DIAL_PAUSE_MS = 1000;

/**
 * The HTTP/2 connections to one endpoint. Streams go to the least loaded connection that has room; another one is made when none has,
 * up to a bound, and beyond it requests wait in line.
 */
export class StreamPool implements UpstreamOwner {
  /** The proxy is closing. */
  isClosed = false;
  readonly #connections = new Set<Http2UpstreamConnection>();
  readonly #waiting = new Set<UpstreamStream>();
  /** Monotonic milliseconds until which no connection is made beside others. */
  #pausedUntil = 0;

  constructor(
    readonly endpoint: Endpoint,
    private readonly env: Environment,
    private readonly onConnected: (endpoint: Endpoint) => void,
    private readonly onEmpty: (pool: StreamPool) => void,
  ) {}

  /** Connections, also those that are being made or take no further calls. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Each of them. */
  get all(): IterableIterator<Http2UpstreamConnection> {
    return this.#connections.values();
  }

  /** Connections that take no further calls and close after those they have. */
  get draining(): number {
    let draining = 0;
    for (const { state } of this.#connections) if (state === 'draining') draining++;
    return draining;
  }

  /** Requests that wait for a stream. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Streams that are under way. */
  get streams(): number {
    let streams = 0;
    for (const { openStreams } of this.#connections) streams += openStreams;
    return streams;
  }

  /** A request that is opened now would wait until another one has ended. */
  get isFull(): boolean {
    return this.#withRoom() === undefined && !this.#isConnecting && !this.#mayDial;
  }

  /** There is no connection of which the peer has said anything: not even how many calls it takes. */
  get isUnreached(): boolean {
    for (const { isNew, isOver, state } of this.#connections) {
      if (!isNew && !isOver && state !== 'draining') return false;
    }
    return true;
  }

  /** The peer takes CONNECT with `:protocol` (RFC 8441); undefined as long as it has not said anything. */
  get takesExtendedConnect(): boolean | undefined {
    for (const { peer } of this.#connections) if (peer.hasCome) return peer.allowsExtendedConnect;
    return undefined;
  }

  /**
   * Sends a request, at once or as soon as there is a place for it.
   * @param endStream the head is all of it
   * @returns a rejection when too many wait already, or when the peer has said that it takes no such request
   */
  open(receiver: AnswerReceiver, head: OutgoingHead, endStream: boolean): UpstreamAttempt | Rejection {
    const stream = new UpstreamStream(this, receiver, head, endStream, this.env.options.http2);
    const connection = this.#roomFor(stream);
    if (connection !== undefined) {
      const refusal = refusalOf(stream, connection);
      if (refusal !== undefined) return refusal;
      connection.open(stream);
      return stream;
    }
    const refusal = this.#overload();
    if (refusal !== undefined) return refusal;
    this.env.stats.poolWaits++;
    this.#wait(stream);
    return stream;
  }

  // === what streams say

  /** The request is not wanted any more. */
  leave(stream: UpstreamStream): void {
    if (this.#waiting.delete(stream)) this.env.stats.http2Upstream.waiting--;
    this.#emptied();
  }

  /**
   * Sends a request once more that its instance has not looked at.
   * @returns false when it has been sent often enough
   */
  readmits(stream: UpstreamStream): boolean {
    if (this.isClosed || stream.replays >= MAX_REPLAYS) return false;
    this.env.stats.http2Upstream.replayed++;
    stream.rewind();
    const connection = this.#roomFor(stream);
    if (connection === undefined) this.#wait(stream);
    else this.#place(stream, connection);
    return true;
  }

  // === what connections say

  connected(): void {
    this.onConnected(this.endpoint);
    for (const stream of this.#waiting) stream.receiver.onReached(this.endpoint);
    this.roomFreed();
  }

  ready(connection: Http2UpstreamConnection): void {
    // It was made in place of those that are too old.
    for (const other of [...this.#connections]) if (other !== connection && other.isAged) other.retire();
    this.roomFreed();
  }

  roomFreed(): void {
    for (const stream of this.#waiting) {
      const connection = this.#roomFor(stream);
      if (connection === undefined) {
        this.#dialIfNeeded();
        return;
      }
      this.#waiting.delete(stream);
      this.env.stats.http2Upstream.waiting--;
      this.#place(stream, connection);
    }
  }

  closed(connection: Http2UpstreamConnection): void {
    this.#connections.delete(connection);
    if (!connection.isConnected && connection.isLost) {
      this.env.stats.upstreamConnectFailures++;
      this.#pausedUntil = this.env.now() + DIAL_PAUSE_MS;
    }
    const isEndpointBad = !connection.wasUseful && (connection.isLost || connection.isForeign);
    // Another connection may still do; but dialling on and on for those that wait would end with none of them.
    if (isEndpointBad && !this.#hasHope) this.#refuseWaiting(failureOf(connection));
    else this.roomFreed();
    this.#emptied();
  }

  // === what the proxy says

  /** The endpoint has left the registry: connections close after their last stream. */
  retire(): void {
    for (const connection of [...this.#connections]) connection.retire();
  }

  closeAll(): void {
    this.isClosed = true;
    const { key } = this.endpoint;
    this.#refuseWaiting({
      code: 'MESH_ERR_DRAINING',
      message: `the proxy is closing, and the call to ${key} has not been sent`,
      sent: false,
      reusedConnection: false,
    });
    for (const connection of [...this.#connections]) connection.destroy();
    this.#emptied();
  }

  // === inside

  /** The least loaded connection that has room. */
  #withRoom(): Http2UpstreamConnection | undefined {
    let best: Http2UpstreamConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.hasRoom && (best === undefined || connection.openStreams < best.openStreams)) best = connection;
    }
    return best;
  }

  #roomFor(stream: UpstreamStream): Http2UpstreamConnection | undefined {
    const connection = this.#withRoom();
    if (connection === undefined) return undefined;
    // It goes on until another one is there, so that no call waits for the change.
    if (connection.isAged) this.#replace();
    // Only SETTINGS tell whether the peer takes such a request.
    return connection.isNew && stream.needsExtendedConnect ? undefined : connection;
  }

  #place(stream: UpstreamStream, connection: Http2UpstreamConnection): void {
    const refusal = refusalOf(stream, connection);
    if (refusal !== undefined) {
      const { code, message } = refusal;
      stream.refuse({ code, message, sent: false, reusedConnection: false });
      return;
    }
    connection.open(stream);
    stream.receiver.onRequestBegun();
    if (!stream.isClosed) stream.sendWaiting();
  }

  #wait(stream: UpstreamStream): void {
    this.#waiting.add(stream);
    this.env.stats.http2Upstream.waiting++;
    this.#dialIfNeeded();
  }

  #overload(): Rejection | undefined {
    const { maxPendingPerEndpoint, http2 } = this.env.options;
    // Who waits for a connection that is being made waits for nobody else.
    const places = this.#isConnecting || this.#mayDial ? http2.maxUpstreamStreams : 0;
    if (this.#waiting.size < maxPendingPerEndpoint + places) return undefined;
    this.env.stats.poolOverflows++;
    return new Rejection(
      'MESH_ERR_OVERLOADED',
      `${this.#connections.size} connections to ${this.endpoint.key} are full and ${this.#waiting.size} requests wait for a stream`,
      1,
    );
  }

  get #isConnecting(): boolean {
    for (const { isNew } of this.#connections) if (isNew) return true;
    return false;
  }

  /** There may be one more connection. Those that only end their calls do not count: each of them has at least one. */
  get #mayDial(): boolean {
    if (this.isClosed) return false;
    let open = 0;
    for (const { state, isUnwilling } of this.#connections) {
      // Another connection would not change the mind of a peer that wants no calls now.
      if (isUnwilling) return false;
      if (state !== 'draining') open++;
    }
    return open < this.env.options.http2.maxUpstreamConnections;
  }

  #dialIfNeeded(): void {
    if (!this.#isConnecting && this.#mayDial && !this.#isPaused) this.#dial();
  }

  #replace(): void {
    if (!this.#isConnecting && !this.isClosed && !this.#isPaused) this.#dial();
  }

  get #isPaused(): boolean {
    return this.#pausedUntil !== 0 && this.#hasHope && this.env.now() < this.#pausedUntil;
  }

  #dial(): void {
    this.#connections.add(Http2UpstreamConnection.dial(this.endpoint, this, this.env));
  }

  /** A connection is left that takes calls, now or once it is there or has room. */
  get #hasHope(): boolean {
    for (const { isOver, state } of this.#connections) if (!isOver && state !== 'draining') return true;
    return false;
  }

  #refuseWaiting(failure: AttemptFailure): void {
    for (const stream of [...this.#waiting]) {
      if (!this.#waiting.delete(stream)) continue;
      this.env.stats.http2Upstream.waiting--;
      stream.refuse(failure);
    }
  }

  #emptied(): void {
    if (this.#connections.size === 0 && this.#waiting.size === 0) this.onEmpty(this);
  }
}

/** What those are told that waited for a connection that never was of use. */
function failureOf({ endpoint, isConnected, isForeign, lossReason }: Http2UpstreamConnection): AttemptFailure {
  const reason = lossReason ?? 'the connection is closed';
  const never = { sent: false, reusedConnection: false };
  if (!isConnected) return { code: 'MESH_ERR_CONNECT', message: reason, ...never };
  const code = isForeign ? 'MESH_ERR_BAD_UPSTREAM' : 'MESH_ERR_UPSTREAM_RESET';
  return { code, message: `${endpoint.key}: ${reason}`, ...never };
}

import { Rejection, type Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { Http2UpstreamConnection } from './http2-upstream-connection.js';
import { UpstreamStream } from './upstream-stream.js';

/**
 * The HTTP/2 connections to one endpoint. Streams go to the first connection that has room; another one is made when none has, up to a
 * bound, and beyond it requests wait in line.
 */
export class StreamPool {
  readonly #connections = new Set<Http2UpstreamConnection>();
  readonly #waiting = new Set<UpstreamStream>();

  constructor(
    readonly endpoint: Endpoint,
    private readonly env: Environment,
    private readonly onConnected: (endpoint: Endpoint) => void,
    private readonly onEmpty: (pool: StreamPool) => void,
  ) {}

  get connections(): number {
    return this.#connections.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Streams that are under way. */
  get streams(): number {
    let streams = 0;
    for (const { openStreams } of this.#connections) streams += openStreams;
    return streams;
  }

  /**
   * Sends a request, at once or as soon as there is a place for it.
   * @param endStream the head is all of it
   * @returns a rejection when too many wait already
   */
  open(receiver: AnswerReceiver, head: OutgoingHead, endStream: boolean): UpstreamAttempt | Rejection {
    const { maxPendingPerEndpoint, http2 } = this.env.options;
    const connection = this.#withRoom();
    if (connection === undefined && this.#waiting.size >= maxPendingPerEndpoint) {
      this.env.stats.poolOverflows++;
      return new Rejection(
        'MESH_ERR_OVERLOADED',
        `${this.#connections.size} connections to ${this.endpoint.key} are full and ${maxPendingPerEndpoint} requests wait for a stream`,
        1,
      );
    }
    const stream = new UpstreamStream(this, receiver, head, endStream, http2);
    if (connection !== undefined) connection.open(stream);
    else {
      this.#waiting.add(stream);
      this.#dialIfNeeded();
    }
    return stream;
  }

  leave(stream: UpstreamStream): void {
    this.#waiting.delete(stream);
  }

  connected(): void {
    this.onConnected(this.endpoint);
    for (const stream of this.#waiting) stream.receiver.onReached(this.endpoint);
    this.roomFreed();
  }

  /** A stream has ended, or a peer allows more of them. */
  roomFreed(): void {
    for (const stream of this.#waiting) {
      const connection = this.#withRoom();
      if (connection === undefined) {
        this.#dialIfNeeded();
        return;
      }
      this.#waiting.delete(stream);
      connection.open(stream);
      stream.receiver.onRequestBegun();
    }
  }

  connectFailed(reason: string): void {
    this.env.stats.upstreamConnectFailures++;
    if (this.#connections.size > 0) return;
    for (const stream of [...this.#waiting]) {
      this.#waiting.delete(stream);
      stream.refuse({ code: 'MESH_ERR_CONNECT', message: reason, sent: false, reusedConnection: false });
    }
    this.#emptied();
  }

  closed(connection: Http2UpstreamConnection): void {
    this.#connections.delete(connection);
    if (connection.isConnected) this.roomFreed();
    this.#emptied();
  }

  /** The endpoint has left the registry: connections close after their last stream. */
  retire(): void {
    for (const connection of [...this.#connections]) connection.retire();
  }

  closeAll(): void {
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #withRoom(): Http2UpstreamConnection | undefined {
    for (const connection of this.#connections) if (connection.hasRoom) return connection;
    return undefined;
  }

  #dialIfNeeded(): void {
    const { maxUpstreamConnections } = this.env.options.http2;
    let isConnecting = false;
    for (const connection of this.#connections) isConnecting ||= !connection.peer.hasCome;
    if (isConnecting || this.#connections.size >= maxUpstreamConnections) return;
    this.#connections.add(Http2UpstreamConnection.dial(this.endpoint, this, this.env));
  }

  #emptied(): void {
    if (this.#connections.size === 0 && this.#waiting.size === 0) this.onEmpty(this);
  }
}

import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import { UnseenExchange } from '../upstream/unseen-exchange.js';
import type { EndpointPool } from '../upstream/endpoint-pool.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import type { ResponseScanner } from './response-scanner.js';
import type { TimedRequest } from './timed-request.js';

/**
 * An attempt that runs beside a slow first one. Once it is the only one left, its connection is handed to the exchange and this object
 * is forgotten; until then nothing that its upstream says reaches the client.
 */
export class SecondAttempt extends UnseenExchange {
  /** The connection on which it is, or which is being made for it. */
  upstream: UpstreamConnection | undefined;
  /** The request has been sent. */
  isSent = false;
  #refusal: Rejection | undefined;

  /** @param tryAt monotonic milliseconds at which the attempt has taken too long: later than the first one, whose place it has then */
  constructor(
    private readonly exchange: TimedRequest,
    readonly endpoint: Endpoint,
    readonly head: string,
    readonly tryAt: number,
  ) {
    super();
  }

  get isHead(): boolean {
    return this.exchange.isHead;
  }

  override get dechunk(): boolean {
    return this.exchange.dechunk;
  }

  /** @returns why there is no second attempt after all: it would have to wait in line, and the first one is under way already */
  start(pool: EndpointPool): Rejection | undefined {
    pool.acquire(this, false);
    return this.#refusal;
  }

  /** The other one was better. */
  cancel(): void {
    const { upstream } = this;
    this.upstream = undefined;
    upstream?.abandon();
  }

  onConnecting(connection: UpstreamConnection): void {
    this.upstream = connection;
  }

  onWaiting(pool: EndpointPool): void {
    pool.leave(this);
    this.#refusal = new Rejection('MESH_ERR_OVERLOADED', `no connection to ${this.endpoint.key} is free`);
  }

  onRefused(rejection: Rejection): void {
    this.#refusal = rejection;
  }

  onReached(endpoint: Endpoint): void {
    this.exchange.onReached(endpoint);
  }

  onConnection(connection: UpstreamConnection): void {
    this.upstream = connection;
    this.isSent = true;
    this.exchange.sendOn(connection, this.head);
  }

  onAttemptFailed(failure: AttemptFailure): void {
    this.upstream = undefined;
    this.exchange.onSecondFailed(failure);
  }

  override onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    this.exchange.onSecondHead(scan, buffer, start, bodyEnd, complete, untilClose);
  }

  onResponseEnd(): void {
    // the exchange has taken over with the head
  }
}

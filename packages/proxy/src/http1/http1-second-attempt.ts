import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import { acquireLink, mustWaitForStream } from '../bridge/acquire-link.js';
import type { Environment } from '../environment.js';
import type { SecondAttempt } from '../exchange/second-attempt.js';
import { notSent } from '../exchange/timed-call.js';
import { UnseenExchange } from '../upstream/unseen-exchange.js';
import type { UpstreamLink, WaitingLine } from '../upstream/upstream-link.js';
import type { ResponseScanner } from './response-scanner.js';
import type { Exchange } from './exchange.js';

/** An attempt of HTTP/1 beside a slow first one. Its connection is handed to the exchange once it is the only one left. */
export class Http1SecondAttempt extends UnseenExchange implements SecondAttempt {
  /** The connection on which it is, or which is being made for it. */
  upstream: UpstreamLink | undefined;
  /** The request has been sent. */
  isSent = false;
  #refusal: Rejection | undefined;

  constructor(
    private readonly exchange: Exchange,
    readonly endpoint: Endpoint,
    readonly head: string,
    readonly tryAt: number,
    private readonly env: Environment,
  ) {
    super();
  }

  get isHead(): boolean {
    return this.exchange.isHead;
  }

  override get dechunk(): boolean {
    return this.exchange.dechunk;
  }

  start(): AttemptFailure | undefined {
    if (mustWaitForStream(this.env, this.endpoint)) return notSent(this.#inLine());
    acquireLink(this.env, this.endpoint, this, false);
    return this.#refusal === undefined ? undefined : notSent(this.#refusal);
  }

  cancel(): void {
    const { upstream } = this;
    this.upstream = undefined;
    upstream?.abandon();
  }

  onConnecting(connection: UpstreamLink): void {
    this.upstream = connection;
  }

  onWaiting(line: WaitingLine): void {
    line.leave(this);
    this.#refusal = this.#inLine();
  }

  onRefused(rejection: Rejection): void {
    this.#refusal = rejection;
  }

  onReached(endpoint: Endpoint): void {
    this.exchange.onReached(endpoint);
  }

  onConnection(connection: UpstreamLink): void {
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
    this.exchange.onSecondHead(this, scan, buffer, start, bodyEnd, complete, untilClose);
  }

  onResponseEnd(): void {
    // the exchange has taken over with the head
  }

  #inLine(): Rejection {
    return new Rejection('MESH_ERR_OVERLOADED', `no connection to ${this.endpoint.key} is free`);
  }
}

import type { CallHandler, Endpoint, MirrorOrder, Rejection } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import { acquireLink, mustWaitForStream } from '../bridge/acquire-link.js';
import type { Environment } from '../environment.js';
import type { ResponseScanner } from './response-scanner.js';
import { UnseenExchange } from '../upstream/unseen-exchange.js';
import type { UpstreamLink, WaitingLine } from '../upstream/upstream-link.js';
import { AUTHORITY } from './characters.js';
import type { Http1Call } from './http1-call.js';
import { ReplayBuffer } from './replay-buffer.js';

/** The Host line of a rendered head, which has exactly one. */
const HOST_LINE = /\r\nhost:[^\r\n]*/i;

/** Ends a copy that takes too long. */
class MirrorTimeout extends Deadline {
  constructor(private readonly mirror: MirrorRequest) {
    super();
  }

  override onDeadline(): void {
    this.mirror.fail();
  }
}

/**
 * A copy of a request that is sent elsewhere and forgotten. It goes through the pool like any other, but never waits in line, is
 * never tried again, and never holds up the request that it copies: what its target does not take in time is held up to a bound, and
 * beyond that the copy is given up.
 */
export class MirrorRequest extends UnseenExchange {
  /**
   * Starts a copy, unless it cannot or must not be made, which is counted.
   * @param head of the request as it goes to the real upstream
   * @param body what has come of the body so far
   */
  static start(
    call: Http1Call,
    order: MirrorOrder,
    head: string,
    body: ReplayBuffer | undefined,
    requestDone: boolean,
    handler: CallHandler,
    env: Environment,
  ): MirrorRequest | undefined {
    const { endpoint } = order;
    if (endpoint === undefined) return notMade('no-target', env);
    const problem = problemOf(call, order, body, env);
    if (problem !== undefined) return notMade(problem, env);
    const copy = head.replace(HOST_LINE, () => `\r\nHost: ${order.authority}`);
    const mirror = new MirrorRequest(call.isHead, copy, body?.clone(), requestDone, handler, env);
    mirror.#begin(endpoint);
    return mirror.#over ? undefined : mirror;
  }

  #upstream: UpstreamLink | undefined;
  #connected = false;
  #over = false;
  readonly #timeout: Deadline;
  #bodyBytes: number;

  private constructor(
    readonly isHead: boolean,
    private readonly head: string,
    /** What waits for the connection. */
    private waiting: ReplayBuffer | undefined,
    private requestDone: boolean,
    private readonly handler: CallHandler,
    private readonly env: Environment,
  ) {
    super();
    this.#bodyBytes = waiting?.bytes ?? 0;
    this.#timeout = new MirrorTimeout(this);
  }

  // === what the request that is copied says

  onBody(piece: Buffer, done: boolean): void {
    if (this.#over) return;
    this.requestDone = done;
    this.#bodyBytes += piece.length;
    if (this.#bodyBytes > this.env.options.mirror.maxBodyBytes) this.#drop('body-too-large');
    else if (this.#connected) this.#upstream?.writeBody(piece);
    else (this.waiting ??= new ReplayBuffer()).add(piece);
  }

  /** The request that is copied is over. Half of a body is of no use to anybody. */
  onOriginalOver(): void {
    if (!this.requestDone) this.fail();
  }

  // === what the pool and the connection say

  onConnecting(connection: UpstreamLink): void {
    this.#upstream = connection;
  }

  onWaiting(line: WaitingLine): void {
    line.leave(this);
    this.#drop('no-connection');
  }

  onRefused(_rejection: Rejection): void {
    this.#drop('no-connection');
  }

  onReached(endpoint: Endpoint): void {
    try {
      this.handler.connected(endpoint);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a connection had been made');
    }
  }

  onConnection(connection: UpstreamLink): void {
    this.#upstream = connection;
    this.#connected = true;
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting === undefined) connection.write(this.head);
    else waiting.sendTo(connection, this.head);
  }

  onAttemptFailed(): void {
    this.#upstream = undefined;
    this.fail();
  }

  override onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    // An answer that comes before the end of the request is the last that the target says about it.
    if (this.requestDone) super.onResponseHead(scan, buffer, start, bodyEnd, complete, untilClose);
    else this.onResponseEnd();
  }

  onResponseEnd(): void {
    if (this.#over) return;
    const upstream = this.#upstream;
    this.env.stats.mirrorsAnswered++;
    this.#end();
    if (this.requestDone) upstream?.finish();
    else upstream?.abandon();
  }

  /** Gives the copy up. */
  fail(): void {
    if (this.#over) return;
    const upstream = this.#upstream;
    this.env.stats.mirrorsFailed++;
    this.#end();
    upstream?.abandon();
  }

  // === inside

  #begin(endpoint: Endpoint): void {
    this.env.stats.mirrorsOpen++;
    this.env.deadlines.arm(this.#timeout, this.env.options.mirror.timeout);
    if (mustWaitForStream(this.env, endpoint)) this.#drop('no-connection');
    else acquireLink(this.env, endpoint, this, false);
  }

  #drop(reason: string): void {
    const upstream = this.#upstream;
    this.env.stats.mirrorsDropped.count(reason);
    this.#end();
    upstream?.abandon();
  }

  #end(): void {
    this.#over = true;
    this.#upstream = undefined;
    this.waiting = undefined;
    this.env.stats.mirrorsOpen--;
    this.env.deadlines.remove(this.#timeout);
  }
}

function notMade(reason: string, env: Environment): undefined {
  env.stats.mirrorsDropped.count(reason);
  return undefined;
}

/** Why a request is not copied; undefined when it is. */
function problemOf(
  call: Http1Call,
  order: MirrorOrder,
  body: ReplayBuffer | undefined,
  env: Environment,
): string | undefined {
  const { maxConcurrent, maxBodyBytes } = env.options.mirror;
  // What follows a switch of protocols is a conversation, and cannot be had twice.
  if (call.form === 'authority' || call.upgrade !== undefined || !isAuthority(order.authority)) return 'not-mirrorable';
  if (env.stats.mirrorsOpen >= maxConcurrent) return 'too-many';
  if ((body?.bytes ?? 0) > maxBodyBytes) return 'body-too-large';
  return undefined;
}

function isAuthority(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (AUTHORITY[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}

import { Rejection, type CallHandler, type Endpoint, type MirrorOrder } from '@mesher/core';
import { Deadline } from '../../deadlines.js';
import type { Environment } from '../../environment.js';
import { AUTHORITY } from '../../http1/characters.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2Call } from './http2-call.js';
import type { KeptRequest } from './kept-request.js';
import { mustWait, openAttempt } from './open-attempt.js';

/**
 * A copy of a request that is sent elsewhere and forgotten. It is never tried again, never waits in line, and never holds up the request that it copies: what
 * its target does not take in time is held up to a bound, and beyond that the copy is given up.
 */
export class Http2Mirror extends Deadline implements AnswerReceiver {
  /**
   * Starts a copy, unless it cannot or must not be made, which is counted.
   * @param body what has come of the body so far
   */
  static start(
    call: Http2Call,
    order: MirrorOrder,
    body: KeptRequest | undefined,
    requestDone: boolean,
    handler: CallHandler,
    env: Environment,
  ): Http2Mirror | undefined {
    const { endpoint, authority } = order;
    const problem = endpoint === undefined ? 'no-target' : problemOf(call, endpoint, authority, body, env);
    if (problem !== undefined) {
      env.stats.mirrorsDropped.count(problem);
      return undefined;
    }
    const mirror = new Http2Mirror(requestDone, handler, env);
    mirror.#begin(call, endpoint as Endpoint, call.snapshot(authority), body);
    return mirror.#isOver ? undefined : mirror;
  }

  #attempt: UpstreamAttempt | undefined = undefined;
  #isOver = false;
  #bodyBytes = 0;

  private constructor(
    private requestDone: boolean,
    private readonly handler: CallHandler,
    private readonly env: Environment,
  ) {
    super();
  }

  // === what the request that is copied says

  onBody(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.#isOver) return;
    this.requestDone = endStream;
    this.#bodyBytes += end - start;
    if (this.#bodyBytes > this.env.options.mirror.maxBodyBytes) this.#drop('body-too-large');
    else this.#attempt?.data(buffer, start, end, endStream);
  }

  onTrailers(block: HeaderBlock): void {
    if (this.#isOver) return;
    this.requestDone = true;
    this.#attempt?.trailers(block);
  }

  /** The request that is copied is over. Half of a body is of no use to anybody. */
  onOriginalOver(): void {
    if (!this.requestDone) this.#fail();
  }

  // === what the attempt says

  onRequestBegun(): void {
    // nobody waits for it
  }

  onReached(endpoint: Endpoint): void {
    try {
      this.handler.connected(endpoint);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a connection had been made');
    }
  }

  onRequestSent(): void {
    // the request that is copied sets the pace
  }

  onInterimAnswer(): void {
    // not the answer
  }

  onAnswerHead(_block: HeaderBlock, endStream: boolean): void {
    // An answer that comes before the end of the request is the last that the target says about it.
    if (endStream || !this.requestDone) this.#answered();
  }

  onAnswerData(_buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#attempt?.consumed(end - start);
    if (endStream) this.#answered();
  }

  onAnswerTrailers(): void {
    this.#answered();
  }

  onAttemptFailed(): void {
    this.#attempt = undefined;
    this.#fail();
  }

  /** It has taken too long. */
  override onDeadline(): void {
    this.#fail();
  }

  // === inside

  #begin(call: Http2Call, endpoint: Endpoint, head: OutgoingHead, body: KeptRequest | undefined): void {
    const { env, requestDone } = this;
    this.#bodyBytes = body?.bytes ?? 0;
    env.stats.mirrorsOpen++;
    env.deadlines.arm(this, env.options.mirror.timeout);
    const opened = openAttempt(env, call, endpoint, this, head, requestDone && body === undefined, false);
    if (this.#isOver) return;
    if (opened instanceof Rejection) this.#drop('no-connection');
    else {
      this.#attempt = opened;
      body?.sendTo(opened, requestDone);
    }
  }

  #answered(): void {
    if (this.#isOver) return;
    this.env.stats.mirrorsAnswered++;
    this.#end(ErrorCode.noError);
  }

  #fail(): void {
    if (this.#isOver) return;
    this.env.stats.mirrorsFailed++;
    this.#end(ErrorCode.cancel);
  }

  #drop(reason: string): void {
    this.env.stats.mirrorsDropped.count(reason);
    this.#end(ErrorCode.cancel);
  }

  /** Nothing is left of the attempt: a cancel is harmless when both sides have ended. */
  #end(code: ErrorCode): void {
    const attempt = this.#attempt;
    this.#isOver = true;
    this.#attempt = undefined;
    this.env.stats.mirrorsOpen--;
    this.env.deadlines.remove(this);
    if (code === ErrorCode.cancel || !this.requestDone || (attempt?.queuedBytes ?? 0) > 0) attempt?.cancel(code);
  }
}

/** Why a request is not copied; undefined when it is. */
function problemOf(
  call: Http2Call,
  endpoint: Endpoint,
  authority: string,
  body: KeptRequest | undefined,
  env: Environment,
): string | undefined {
  const { maxConcurrent, maxBodyBytes } = env.options.mirror;
  // What follows CONNECT is a conversation, and cannot be had twice.
  if (call.method === 'CONNECT' || !isAuthority(authority)) return 'not-mirrorable';
  if (env.stats.mirrorsOpen >= maxConcurrent) return 'too-many';
  if ((body?.bytes ?? 0) > maxBodyBytes) return 'body-too-large';
  return mustWait(env, call, endpoint) ? 'no-connection' : undefined;
}

function isAuthority(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (AUTHORITY[text.charCodeAt(i)] !== 1) return false;
  return text !== '';
}

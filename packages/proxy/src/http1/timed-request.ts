import type { AttemptFailure, Endpoint, Rejection } from '@mesher/core';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { AttemptTimes } from './attempt-times.js';
import { describeDeadline, Phase } from './exchange-phase.js';
import { OutgoingRequest } from './outgoing-request.js';
import { refusalOfPeer } from './peer-refusal.js';
import type { ResponseScanner } from './response-scanner.js';
import { SecondAttempt } from './second-attempt.js';

/**
 * How long a call and each attempt of it may take until the answer begins, and what is done about a slow one: it is given up, or gets
 * company (hedging). Calls without such limits never come here.
 */
export abstract class TimedRequest extends OutgoingRequest {
  /** The attempt beside the first one. */
  protected second: SecondAttempt | undefined;

  abstract readonly isHead: boolean;
  abstract readonly dechunk: boolean;
  abstract onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void;

  /** Takes over a connection that another attempt has begun with. */
  protected abstract adopt(connection: UpstreamConnection): void;
  /** The present attempt is over without an answer. */
  protected abstract dropAttempt(): void;

  override onRequestBody(piece: Buffer, done: boolean): void {
    if (done && this.call.deadlineIsOurs && !this.requestDone && this.phase < Phase.Response) this.#startDeadline();
    super.onRequestBody(piece, done);
  }

  override onAttemptFailed(failure: AttemptFailure): void {
    const { second } = this;
    if (second === undefined) super.onAttemptFailed(failure);
    else this.#loseFirst(second, failure);
  }

  override onRefused(rejection: Rejection): void {
    const { second } = this;
    if (second === undefined) super.onRefused(rejection);
    else this.#loseFirst(second, notSent(rejection));
  }

  // === what the second attempt says

  onSecondFailed(failure: AttemptFailure): void {
    const { endpoint } = this.second as SecondAttempt;
    this.second = undefined;
    this.env.stats.hedgesLost++;
    this.#reportLost(endpoint, failure);
    this.#rearm();
  }

  onSecondHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    const second = this.second as SecondAttempt;
    const failure = this.#failureOf(second.endpoint, scan, buffer);
    if (failure !== undefined) {
      second.upstream?.discard();
      this.onSecondFailed(failure);
      return;
    }
    const first = this.call.endpoint as Endpoint;
    this.dropAttempt();
    this.#promote(second);
    this.#reportLost(first, undefined);
    this.onResponseHead(scan, buffer, start, bodyEnd, complete, untilClose);
  }

  // === for the exchange

  protected limitAttempt(): boolean {
    const { call, handler } = this;
    // A first attempt that has not waited begins with the call: no need to look at the clock again.
    const now = call.attempts === 0 && !call.waited ? call.startedAt : this.env.now();
    if (now >= this.#deadlineAt) {
      this.#refuseLate();
      return false;
    }
    const times = (this.times = new AttemptTimes());
    times.tryAt = now + call.tryTimeout;
    // What follows a switch of protocols is a conversation, and cannot be had twice.
    const mayHedge = handler.hedge !== undefined && call.form !== 'authority' && call.upgrade === undefined;
    if (mayHedge) times.hedgeAt = now + call.hedgeAfter;
    this.#updateDue();
    return true;
  }

  protected awaitDeadline(): void {
    const deadlineAt = this.#deadlineAt;
    this.times = undefined;
    if (deadlineAt !== Infinity) (this.times = new AttemptTimes()).dueAt = deadlineAt;
  }

  /** {@link dueAt} has come. */
  protected onDue(times: AttemptTimes, now: number): void {
    if (now >= this.#deadlineAt) {
      this.#refuseLate();
      return;
    }
    if (now >= times.tryAt) {
      this.env.stats.timeouts++;
      const failure = this.#tryFailure(this.call.endpoint as Endpoint, this.phase === Phase.AwaitResponse);
      this.dropAttempt();
      this.onAttemptFailed(failure);
      return;
    }
    if (now >= times.hedgeAt) {
      times.hedgeAt = Infinity;
      this.#startSecond(now);
    }
    if (this.phase < Phase.Response) this.#rearm();
  }

  /**
   * The first attempt has been answered while the second one runs.
   * @returns true when the answer is a failure and was thrown away: the second attempt is the only one now
   */
  protected yields(second: SecondAttempt, scan: ResponseScanner, buffer: Buffer): boolean {
    const failure = this.#failureOf(this.call.endpoint as Endpoint, scan, buffer);
    if (failure === undefined) {
      this.second = undefined;
      this.env.stats.hedgesLost++;
      second.cancel();
      this.#reportLost(second.endpoint, undefined);
      return false;
    }
    this.upstream?.discard();
    this.#loseFirst(second, failure);
    return true;
  }

  // === inside

  #startSecond(now: number): void {
    const { call } = this;
    // Of a body that is too large the first attempt, once it is connected, would leave nothing for the second one.
    const isReplayable = this.requestDone && call.bodyReplayable && !this.isTooLargeToKeep;
    if (!isReplayable || this.second !== undefined) return;
    let endpoint: Endpoint | undefined;
    try {
      endpoint = this.handler.hedge?.(call);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it decided about a second attempt');
    }
    if (endpoint === undefined) return;
    call.attempts++;
    // The first one may not have been sent yet, and keeps its own.
    const head = call.isEdited ? this.renderAgain() : this.head;
    const second = new SecondAttempt(this, endpoint, head, now + call.tryTimeout);
    this.second = second;
    const refusal = second.start(this.env.pools.of(endpoint));
    if (refusal !== undefined) this.onSecondFailed(notSent(refusal));
  }

  /** The first attempt is over; the second one takes its place. */
  #loseFirst(second: SecondAttempt, failure: AttemptFailure): void {
    const first = this.call.endpoint as Endpoint;
    this.upstream = undefined;
    this.#promote(second);
    this.#reportLost(first, failure);
    this.#rearm();
  }

  #promote(second: SecondAttempt): void {
    this.second = undefined;
    this.env.stats.hedgesWon++;
    this.call.endpoint = second.endpoint;
    this.phase = second.isSent ? Phase.AwaitResponse : Phase.Connecting;
    this.head = second.head;
    this.times = new AttemptTimes();
    this.times.tryAt = second.tryAt;
    this.adopt(second.upstream as UpstreamConnection);
  }

  #reportLost(endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    try {
      this.handler.lost?.(this.call, endpoint, failure);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after an attempt had been lost');
    }
  }

  /** Why an answer is worth no more than a failure while another one may still come. */
  #failureOf(endpoint: Endpoint, scan: ResponseScanner, buffer: Buffer): AttemptFailure | undefined {
    const refusal = refusalOfPeer(this.call, endpoint, scan, buffer, this.env);
    if (refusal !== undefined) return refusal;
    const { answer, logger } = this.env;
    let isFailure = false;
    try {
      isFailure = this.handler.isFailure?.(this.call, answer.of(buffer)) === true;
    } catch (error) {
      logger.error({ error }, 'a plugin failed while it judged an answer');
    }
    answer.release();
    return isFailure ? this.statusFailure(endpoint, scan.status) : undefined;
  }

  #tryFailure(endpoint: Endpoint, sent: boolean): AttemptFailure {
    const message = `${endpoint.key} did not begin to answer within ${Math.round(this.call.tryTimeout)} ms, the time for one attempt`;
    return { code: 'MESH_ERR_TRY_TIMEOUT', message, sent, reusedConnection: false };
  }

  #refuseLate(): void {
    this.env.stats.timeouts++;
    this.refuse(describeDeadline(this.call, this.requestDone));
  }

  /** The time of the service begins when it has all of the request. */
  #startDeadline(): void {
    const { call, phase } = this;
    this.requestDone = true;
    call.deadlineAt += this.env.now() - call.startedAt;
    if (phase !== Phase.Deciding) this.#rearm();
    else {
      // Between two attempts only the deadline counts.
      this.awaitDeadline();
      this.server.arm(this.env.options.responseTimeout, this.dueAt);
    }
  }

  /** The deadline, once it counts: one of ours waits for the end of the request. */
  get #deadlineAt(): number {
    return this.requestDone || !this.call.deadlineIsOurs ? this.call.deadlineAt : Infinity;
  }

  #updateDue(): void {
    const times = (this.times ??= new AttemptTimes());
    times.dueAt = Math.min(this.#deadlineAt, times.tryAt, times.hedgeAt);
  }

  #rearm(): void {
    this.#updateDue();
    if (this.phase === Phase.AwaitResponse) this.armRequest();
    else this.server.arm(this.waitingIn === undefined ? Infinity : this.env.options.pendingTimeout, this.dueAt);
  }
}

/** The pool had no place for an attempt. */
function notSent(rejection: Rejection): AttemptFailure {
  return { code: rejection.code, message: rejection.message, sent: false, reusedConnection: false };
}

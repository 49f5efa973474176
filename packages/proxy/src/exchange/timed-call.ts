import type { AnswerView, AttemptFailure, Endpoint, Rejection } from '@mesher/core';
import { AttemptTimes } from './attempt-times.js';
import { describeDeadline, Phase } from './call-phase.js';
import { OutgoingCall } from './outgoing-call.js';
import { refusalOfPeer } from './peer-refusal.js';
import type { SecondAttempt } from './second-attempt.js';

/**
 * How long a call and each attempt of it may take until the answer begins, and what is done about a slow one: it is given up, or gets
 * company (hedging). Calls without such limits never come here.
 */
export abstract class TimedCall<Second extends SecondAttempt = SecondAttempt> extends OutgoingCall {
  /** The attempt beside the first one. */
  protected second: Second | undefined;

  // === what the wire does

  /** Sets the timeout of the phase in which the call is, and that of {@link dueAt}. */
  protected abstract armPhase(): void;
  /** Prepares an attempt beside the present one. */
  protected abstract createSecond(endpoint: Endpoint, tryAt: number): Second;
  /** The second attempt takes the place of the first, which is over. */
  protected abstract adopt(second: Second): void;
  /** The present attempt is given up without an answer. */
  protected abstract dropAttempt(): void;

  // === what the wire says

  /** The request is complete; to be called before {@link requestDone} is set. */
  protected requestCompleted(): void {
    if (this.call.deadlineIsOurs && !this.requestDone && this.phase < Phase.Response) this.#startDeadline();
  }

  protected override attemptFailed(failure: AttemptFailure): void {
    const { second } = this;
    if (second === undefined) super.attemptFailed(failure);
    else this.#loseFirst(second, failure);
  }

  override onRefused(rejection: Rejection): void {
    const { second } = this;
    if (second === undefined) super.onRefused(rejection);
    else this.#loseFirst(second, notSent(rejection));
  }

  // === what the second attempt says

  onSecondFailed(failure: AttemptFailure): void {
    const { endpoint } = this.second as Second;
    this.second = undefined;
    this.env.stats.hedgesLost++;
    this.#reportLost(endpoint, failure);
    this.#rearm();
  }

  /**
   * The second attempt has been answered.
   * @param answer good until the return
   * @returns true when its answer is the one that counts: it is the only attempt now. Else the answer is to be thrown away.
   */
  takesSecond(answer: AnswerView): boolean {
    const second = this.second as Second;
    const failure = this.#failureOf(second.endpoint, answer);
    if (failure !== undefined) {
      this.onSecondFailed(failure);
      return false;
    }
    const first = this.call.endpoint as Endpoint;
    this.dropAttempt();
    this.#promote(second);
    this.#reportLost(first, undefined);
    return true;
  }

  // === for the wire

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
    if (handler.hedge !== undefined && this.mayHaveCompany) times.hedgeAt = now + call.hedgeAfter;
    this.#updateDue();
    return true;
  }

  /** The body so far will not be kept once it has been sent. */
  protected abstract readonly isTooLargeToKeep: boolean;
  /** A second attempt beside the first can do no harm. */
  protected abstract readonly mayHaveCompany: boolean;

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
      this.attemptFailed(failure);
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
   * @param answer good until the return
   * @returns true when the answer is a failure and was thrown away: the second attempt is the only one now
   */
  protected yields(second: Second, answer: AnswerView): boolean {
    const failure = this.#failureOf(this.call.endpoint as Endpoint, answer);
    if (failure === undefined) {
      this.second = undefined;
      this.env.stats.hedgesLost++;
      second.cancel();
      this.#reportLost(second.endpoint, undefined);
      return false;
    }
    this.discardAnswer();
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
    const second = this.createSecond(endpoint, now + call.tryTimeout);
    this.second = second;
    const failure = second.start();
    if (failure !== undefined) this.onSecondFailed(failure);
  }

  /** The first attempt is over; the second one takes its place. */
  #loseFirst(second: Second, failure: AttemptFailure): void {
    const first = this.call.endpoint as Endpoint;
    this.#promote(second);
    this.#reportLost(first, failure);
    this.#rearm();
  }

  #promote(second: Second): void {
    this.second = undefined;
    this.env.stats.hedgesWon++;
    this.call.endpoint = second.endpoint;
    this.phase = second.isSent ? Phase.AwaitResponse : Phase.Connecting;
    this.times = new AttemptTimes();
    this.times.tryAt = second.tryAt;
    this.adopt(second);
  }

  #reportLost(endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    try {
      this.handler.lost?.(this.call, endpoint, failure);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after an attempt had been lost');
    }
  }

  /** Why an answer is worth no more than a failure while another one may still come. */
  #failureOf(endpoint: Endpoint, answer: AnswerView): AttemptFailure | undefined {
    const refusal = refusalOfPeer(this.call, endpoint, answer);
    if (refusal !== undefined) return refusal;
    let isFailure = false;
    try {
      isFailure = this.handler.isFailure?.(this.call, answer) === true;
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it judged an answer');
    }
    return isFailure ? this.statusFailure(endpoint, answer) : undefined;
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
      this.arm(this.env.options.responseTimeout, this.dueAt);
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
    this.armPhase();
  }
}

/** The pool had no place for an attempt. */
export function notSent(rejection: Rejection): AttemptFailure {
  return { code: rejection.code, message: rejection.message, sent: false, reusedConnection: false };
}

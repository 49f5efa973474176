import {
  Rejection,
  type AnswerView,
  type AttemptFailure,
  type CallHandler,
  type Endpoint,
  type ErrorCode,
  type Invocation,
  type MirrorOrder,
  type Verdict,
} from '@mesher/core';
import type { Environment } from '../environment.js';
import type { AttemptTimes } from './attempt-times.js';
import { Phase } from './call-phase.js';

/**
 * One call on its way from a client to an instance, whatever the two speak: asks the handler where to go, and again when an attempt
 * fails or when its answer is worth no more than a failure. How a request is written and an answer passed on is the wire's business.
 */
export abstract class OutgoingCall {
  abstract readonly call: Invocation;
  /** The client has sent all of its request. */
  requestDone = false;
  protected phase: Phase = Phase.Deciding;
  /** Until the answer begins, and only of calls with limits: numbers in each call would cost an allocation each. */
  protected times: AttemptTimes | undefined;
  /** Of the answer that the client gets; 0 until it has begun. */
  protected status = 0;
  /** Why the call ends with an answer of our own, or without one. */
  protected errorCode: ErrorCode | undefined = undefined;

  constructor(
    readonly handler: CallHandler,
    protected readonly env: Environment,
  ) {}

  /** Monotonic milliseconds at which something is due before the answer begins, whatever the phase; Infinity in the usual case. */
  get dueAt(): number {
    return this.times === undefined ? Infinity : this.times.dueAt;
  }

  // === what the wire does

  /** What the call becomes is no exchange of messages: a tunnel needs a connection of its own, and cannot be had twice. */
  protected abstract readonly isTunnel: boolean;
  /** The copy of the request, if there is one. */
  protected abstract readonly mirror: { onOriginalOver(): void } | undefined;
  /** Calls `onTimeout` of the wire after a time, see `Deadlines.arm`. */
  protected abstract arm(delayMs: number, latest: number): void;
  /** Ends the call with an answer of our own. */
  abstract reply(rejection: Rejection): void;
  /** Ends the call in the middle of an answer, so that the client cannot take it for complete. */
  protected abstract breakOff(code: ErrorCode): void;
  /** Writes down how the request goes upstream. @param parked other calls have been read since the head of this one was */
  protected abstract render(parked: boolean): void;
  /** Does so once more, with the edits that were made since, if there are any. */
  protected abstract renderAgain(): void;
  /** Sends the request to an endpoint, as soon as there is a connection. @param fresh over a new one */
  protected abstract acquire(endpoint: Endpoint, fresh: boolean): void;
  /** The answer of the present attempt is not passed on; the attempt is over. */
  protected abstract discardAnswer(): void;
  /** Sends a copy of the request. */
  protected abstract startMirror(order: MirrorOrder): void;
  /**
   * The call has limits besides those of its phases: sets {@link times} for an attempt that begins now.
   * @returns false when it must not begin any more; the call has been answered
   */
  protected abstract limitAttempt(): boolean;
  /** No attempt is under way: only the deadline of the call counts. */
  protected abstract awaitDeadline(): void;

  // === what the wire says

  /** Decides about the call, whose head is complete, and begins its first attempt. */
  protected decide(): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.begin(this.call);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (verdict instanceof Promise) this.#park(verdict, (later) => this.#proceed(later, true));
    else this.#proceed(verdict, false);
  }

  onRefused(rejection: Rejection): void {
    this.refuse(rejection);
  }

  onReached(endpoint: Endpoint): void {
    try {
      this.handler.connected(endpoint);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a connection had been made');
    }
  }

  /**
   * The head of the answer that is passed on has come.
   * @returns false when who was told of it failed: the call has been answered by ourselves, and everybody else goes on
   */
  protected answerBegins(status: number, grpcStatus?: number): boolean {
    const { call, handler } = this;
    if (!call.watchesBeginning || handler.begun === undefined) return true;
    try {
      handler.begun(call, status, grpcStatus);
      return true;
    } catch (error) {
      this.#pluginFailed(error);
      return false;
    }
  }

  /**
   * The call is over, once and for all: reports what came of it.
   * @param beganAfterMs when the answer began, for calls whose duration says nothing about who answers
   */
  protected end(aborted: boolean, grpcStatus?: number, beganAfterMs?: number): void {
    if (this.phase === Phase.Over) return;
    this.phase = Phase.Over;
    this.times = undefined;
    this.mirror?.onOriginalOver();
    const { call, env, status, errorCode: code } = this;
    try {
      const durationMs = env.now() - call.startedAt;
      this.handler.end(call, { status, grpcStatus, code, aborted, durationMs, beganAfterMs });
    } catch (error) {
      env.logger.error({ error }, 'a plugin failed after a call had ended');
    }
  }

  /** The present attempt got no answer, or not all of it. */
  protected attemptFailed(failure: AttemptFailure): void {
    // The client has part of the answer: only breaking off tells it that the rest is missing (RFC 9112, 8).
    if (this.phase >= Phase.Response) this.breakOff(failure.code);
    else this.tryAgain(failure);
  }

  // === for those that build on this

  /** No attempt is left: asks the handler what now. */
  protected tryAgain(failure: AttemptFailure): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    this.goOn(verdict, failure);
  }

  /** Follows what the handler has decided after a failure. */
  protected goOn(verdict: Verdict | Promise<Verdict>, failure: AttemptFailure): void {
    if (verdict instanceof Promise) {
      this.#park(verdict, (later) => this.goOn(later, failure));
      return;
    }
    this.phase = Phase.Deciding;
    if (verdict instanceof Rejection) this.reply(verdict);
    // Half a body is never sent, whatever the handler thinks.
    else if (!this.call.bodyReplayable) this.refuse(new Rejection(failure.code, failure.message));
    else {
      if (failure.reusedConnection) this.env.stats.reusedConnectionRetries++;
      // The other idle connections of an endpoint that has closed one are suspect: the next try there takes a new one.
      const suspect = failure.reusedConnection && verdict === this.call.endpoint;
      this.renderAgain();
      this.#connect(verdict, suspect || this.isTunnel);
    }
  }

  /**
   * The peer's sidecar could not deliver the request.
   * @returns true when another attempt is made instead of passing on what it has answered
   */
  protected retryRefused(failure: AttemptFailure): boolean {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.#judgeFailed(error);
      return false;
    }
    // The peer's own words say more than ours would.
    if (verdict instanceof Rejection || !this.call.bodyReplayable) return false;
    this.discardAnswer();
    this.goOn(verdict, failure);
    return true;
  }

  /**
   * The handler looks at the head of each answer of this call.
   * @param answer good until the return
   * @returns true when another attempt is made instead of passing it on
   */
  protected retryAnswered(answer: AnswerView): boolean {
    let verdict: Endpoint | Promise<Verdict> | undefined;
    try {
      verdict = this.handler.answered?.(this.call, answer);
    } catch (error) {
      this.#judgeFailed(error);
    }
    // Half a body is never sent, whatever the handler thinks.
    if (verdict === undefined || !this.call.bodyReplayable) return false;
    const failure = this.statusFailure(this.call.endpoint as Endpoint, answer);
    this.discardAnswer();
    this.goOn(verdict, failure);
    return true;
  }

  /** @param answer good until the return */
  protected statusFailure(endpoint: Endpoint, { status, grpcStatus }: AnswerView): AttemptFailure {
    const answered = grpcStatus === undefined ? `${status}` : `with gRPC status ${grpcStatus}`;
    return {
      code: 'MESH_ERR_STATUS',
      message: `${endpoint.key} answered ${answered}`,
      sent: true,
      reusedConnection: false,
    };
  }

  /** Answers by ourselves, unless the handler knows something better, e.g. a fallback. */
  protected refuse(rejection: Rejection): void {
    let answer: Rejection | undefined;
    try {
      answer = this.handler.instead?.(this.call, rejection);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it looked for an answer in place of an error');
    }
    this.reply(answer ?? rejection);
  }

  // === inside

  /** Waits for a decision; nothing else is remembered of a call that has ended meanwhile. */
  #park(verdict: Promise<Verdict>, proceed: (verdict: Verdict) => void): void {
    this.phase = Phase.Deciding;
    this.awaitDeadline();
    this.arm(this.env.options.responseTimeout, this.dueAt);
    void verdict.then(
      (later) => {
        if (this.phase === Phase.Deciding) proceed(later);
      },
      (error: unknown) => this.#pluginFailed(error),
    );
  }

  #proceed(verdict: Verdict, parked: boolean): void {
    if (verdict instanceof Rejection) {
      this.reply(verdict);
      return;
    }
    this.render(parked);
    this.#connect(verdict, this.isTunnel);
    // Behind the real one, so that it takes no connection away from it.
    const { mirror } = this.call;
    if (mirror !== undefined && this.phase !== Phase.Over) this.startMirror(mirror);
  }

  #connect(endpoint: Endpoint, fresh: boolean): void {
    const { call } = this;
    this.times = undefined;
    const isLimited = call.deadlineAt !== Infinity || call.tryTimeout !== Infinity || call.hedgeAfter !== Infinity;
    if (isLimited && !this.limitAttempt()) return;
    call.endpoint = endpoint;
    call.attempts++;
    this.phase = Phase.Connecting;
    this.acquire(endpoint, fresh);
  }

  #judgeFailed(error: unknown): void {
    this.env.logger.error({ error }, 'a plugin failed while it decided about another attempt');
  }

  #pluginFailed(error: unknown): void {
    if (this.phase === Phase.Over) return;
    this.env.logger.error({ error }, 'a plugin failed while it decided about a call');
    this.refuse(new Rejection('MESH_ERR_PLUGIN', error instanceof Error ? error.message : String(error)));
  }
}

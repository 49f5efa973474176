import { Rejection, type AttemptFailure, type Endpoint, type ErrorCode, type Verdict } from '@mesher/core';
import { Phase } from './exchange-phase.js';
import { ForwardedRequest } from './forwarded-request.js';
import { MirrorRequest } from './mirror-request.js';
import { ReplayBuffer } from './replay-buffer.js';
import type { ResponseScanner } from './response-scanner.js';

/**
 * The request's half of an exchange: asks the handler where to go, and again when an attempt fails or when its answer is worth no
 * more than a failure.
 */
export abstract class OutgoingRequest extends ForwardedRequest {
  /** Ends the call with an answer of our own. */
  abstract reply(rejection: Rejection): void;
  /** Asks the pool for a connection, which answers through `onConnection`, `onConnecting`, `onWaiting` or `onRefused`. */
  protected abstract acquire(endpoint: Endpoint, fresh: boolean): void;
  /**
   * The call has limits besides those of its phases: sets {@link times} for an attempt that begins now.
   * @returns false when it must not begin any more; the call has been answered
   */
  protected abstract limitAttempt(): boolean;
  /** No attempt is under way: only the deadline of the call counts. */
  protected abstract awaitDeadline(): void;
  /** Ends the call and the client's connection in the middle of an answer. */
  protected abstract breakOff(code: ErrorCode): void;

  /** Starts with the head complete and `body` (possibly none) of the request at hand. */
  start(body: Buffer | undefined, requestDone: boolean): void {
    this.requestDone = requestDone;
    if (body !== undefined) {
      this.call.requestBytes = body.length;
      (this.kept = new ReplayBuffer()).add(body);
    }
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
    this.handler.connected(endpoint);
  }

  onAttemptFailed(failure: AttemptFailure): void {
    this.upstream = undefined;
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
      const { call } = this;
      const suspect = failure.reusedConnection && verdict === call.endpoint;
      if (call.isEdited) this.head = this.renderAgain();
      this.#connect(verdict, suspect || call.form === 'authority');
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
    this.#discardAnswer();
    this.goOn(verdict, failure);
    return true;
  }

  /**
   * The handler looks at the head of each answer of this call.
   * @returns true when another attempt is made instead of passing it on
   */
  protected retryAnswered(scan: ResponseScanner, buffer: Buffer): boolean {
    const { status } = scan;
    const { answer } = this.env;
    let verdict: Endpoint | Promise<Verdict> | undefined;
    try {
      verdict = this.handler.answered?.(this.call, answer.of(buffer));
    } catch (error) {
      this.#judgeFailed(error);
    }
    answer.release();
    // Half a body is never sent, whatever the handler thinks.
    if (verdict === undefined || !this.call.bodyReplayable) return false;
    const failure = this.statusFailure(this.call.endpoint as Endpoint, status);
    this.#discardAnswer();
    this.goOn(verdict, failure);
    return true;
  }

  protected statusFailure(endpoint: Endpoint, status: number): AttemptFailure {
    return {
      code: 'MESH_ERR_STATUS',
      message: `${endpoint.key} answered ${status}`,
      sent: true,
      reusedConnection: false,
    };
  }

  /** The head with the edits that were made since it was rendered. */
  protected renderAgain(): string {
    this.call.rescan(this.env.requestScanner);
    return this.call.render(this.env.requestScanner);
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
    this.server.arm(this.env.options.responseTimeout, this.dueAt);
    void verdict.then(
      (later) => {
        if (this.phase === Phase.Deciding) proceed(later);
      },
      (error: unknown) => this.#pluginFailed(error),
    );
  }

  /** @param parked other requests have been scanned since this one was */
  #proceed(verdict: Verdict, parked: boolean): void {
    if (verdict instanceof Rejection) {
      this.reply(verdict);
      return;
    }
    const { call, kept } = this;
    if (parked) call.rescan(this.env.requestScanner);
    this.head = call.render(this.env.requestScanner);
    this.#connect(verdict, call.form === 'authority');
    // Behind the real one, so that it takes no connection away from it.
    if (call.mirror !== undefined && this.phase !== Phase.Over) {
      const { mirror } = call;
      this.mirror = MirrorRequest.start(call, mirror, this.head, kept, this.requestDone, this.handler, this.env);
    }
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

  /** The answer is not passed on. */
  #discardAnswer(): void {
    const { upstream } = this;
    this.upstream = undefined;
    if (this.requestDone) upstream?.discard();
    else upstream?.abandon();
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

import type { AnswerView, AttemptFailure, Invocation, Outcome } from '../invocation.js';
import type { Clock } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { PolicyChain } from './policy-chain.js';

/**
 * Tells the plan of the called service, and the policies that watch, when attempts begin and end, exactly once each: what they count
 * as under way comes back to zero, however a call goes.
 */
export class AttemptLedger {
  constructor(
    private readonly clock: Clock,
    private readonly policies: PolicyChain,
  ) {}

  /** The first attempt of a call is decided. */
  first(call: Invocation, plan: ServicePlan, endpoint: Endpoint): Endpoint {
    if (call.waited) call.attemptStartedAt = this.clock.now();
    return this.#begin(call, plan, endpoint);
  }

  /** Another attempt is decided, after the one before has ended. */
  next(call: Invocation, plan: ServicePlan, endpoint: Endpoint): Endpoint {
    call.attemptStartedAt = this.clock.now();
    return this.#begin(call, plan, endpoint);
  }

  /** Another attempt is decided, beside the one that is under way. */
  beside(call: Invocation, plan: ServicePlan, endpoint: Endpoint): void {
    (call.hedges ??= []).push(endpoint);
    plan.started(endpoint);
    this.policies.attemptBegan(call, endpoint);
  }

  /** The only attempt that is under way got no answer. */
  failed(call: Invocation, failure: AttemptFailure): void {
    const endpoint = present(call);
    if (endpoint !== undefined) this.#fail(call, endpoint, failure);
  }

  /** The only attempt that is under way got an answer that is thrown away. */
  answered(call: Invocation, answer: AnswerView): void {
    const endpoint = present(call);
    if (endpoint !== undefined) this.#close(call, endpoint, answer, undefined);
  }

  /** One of several attempts is over while another goes on. @param failure undefined when it was given up */
  lost(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    if (failure !== undefined) this.#fail(call, endpoint, failure);
    else this.#giveUp(call, endpoint);
  }

  /**
   * The call is over: the attempt at `call.endpoint` ended with it, and any other one was given up; so was one that was decided and
   * never taken up, because its caller had left.
   */
  end(call: Invocation, outcome: Outcome): void {
    const { endpoint, underWay, hedges } = call;
    if (endpoint !== undefined && (underWay === endpoint || hedges?.includes(endpoint) === true)) {
      const startsAfterMs = this.#startOf(call, endpoint) - call.startedAt;
      const isWhole = call.attemptStartedAt === 0 && underWay === endpoint;
      this.#forget(call, endpoint);
      this.#observe(call, endpoint, isWhole ? outcome : later(outcome, startsAfterMs));
    }
    for (let other = present(call); other !== undefined; other = present(call)) this.#giveUp(call, other);
  }

  #begin(call: Invocation, plan: ServicePlan, endpoint: Endpoint): Endpoint {
    call.underWay = endpoint;
    plan.started(endpoint);
    this.policies.attemptBegan(call, endpoint);
    return endpoint;
  }

  #close(
    call: Invocation,
    endpoint: Endpoint,
    answer: AnswerView | undefined,
    failure: AttemptFailure | undefined,
  ): void {
    const durationMs = this.clock.now() - this.#startOf(call, endpoint);
    if (!this.#forget(call, endpoint)) return;
    const { status = 0, grpcStatus } = answer ?? {};
    this.#observe(call, endpoint, { status, grpcStatus, code: failure?.code, aborted: false, durationMs });
  }

  /**
   * An attempt that an endpoint has not looked at, on a connection that had worked (GOAWAY, REFUSED_STREAM), says nothing about it: it was
   * about to leave, or has a bound on its streams.
   */
  #fail(call: Invocation, endpoint: Endpoint, failure: AttemptFailure): void {
    if (failure.reusedConnection && !failure.sent) this.#giveUp(call, endpoint);
    else this.#close(call, endpoint, undefined, failure);
  }

  #giveUp(call: Invocation, endpoint: Endpoint): void {
    const durationMs = this.clock.now() - this.#startOf(call, endpoint);
    if (!this.#forget(call, endpoint)) return;
    this.#observe(call, endpoint, { status: 0, code: undefined, aborted: true, durationMs });
  }

  #observe(call: Invocation, endpoint: Endpoint, outcome: Outcome): void {
    call.plan?.observe(call, endpoint, outcome);
    this.policies.attemptEnded(call, endpoint, outcome);
  }

  /** When the attempt at `endpoint` began; of several beside each other, when the last one did. */
  #startOf(call: Invocation, endpoint: Endpoint): number {
    if (call.underWay !== endpoint && call.hedges?.includes(endpoint) === true) return call.retried?.hedgedAt ?? 0;
    return call.attemptStartedAt === 0 ? call.startedAt : call.attemptStartedAt;
  }

  /** @returns false when no attempt is under way there */
  #forget(call: Invocation, endpoint: Endpoint): boolean {
    if (call.underWay === endpoint) {
      call.underWay = undefined;
      return true;
    }
    const index = call.hedges?.indexOf(endpoint) ?? -1;
    if (index < 0) return false;
    call.hedges?.splice(index, 1);
    return true;
  }
}

/** The outcome of an attempt that began so many milliseconds after its call. */
function later(outcome: Outcome, startsAfterMs: number): Outcome {
  const { beganAfterMs, durationMs } = outcome;
  const since = { ...outcome, durationMs: durationMs - startsAfterMs };
  return beganAfterMs === undefined ? since : { ...since, beganAfterMs: beganAfterMs - startsAfterMs };
}

/** Where an attempt is under way; the first one if there are several. */
function present({ underWay, hedges }: Invocation): Endpoint | undefined {
  return underWay ?? hedges?.[0];
}

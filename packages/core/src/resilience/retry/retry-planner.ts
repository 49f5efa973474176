import { PerService } from '../../chain/per-service.js';
import { ERRORS, type ErrorCode } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import { parsePushback, PUSHBACK_FIELD } from '../../grpc/pushback.js';
import type { AnswerView, AttemptFailure, Invocation } from '../../invocation.js';
import type { Ports } from '../../ports/ports.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { ServicePlan } from '../../registry/service-plan.js';
import type { ExecutorSettings } from '../timeout/executor-settings.js';
import { explainAttempts } from './retry-explain.js';
import { parseRetryAfter } from './retry-after.js';
import { FAILURE, failureOf } from './retry-conditions.js';
import { isRepeatedElsewhere, markExhausted, markRepetition, repetitionsBelow } from './retry-layers.js';
import { tryTimeoutOf, type RetryPolicy } from './retry-policy.js';
import type { RetryReport, SkipReason } from './retry-report.js';
import { newRetryState, type RetryState } from './retry-state.js';
import { ServiceAttempts } from './service-attempts.js';

/** Where the next attempt goes, at once or after a wait; undefined for nowhere. */
export type NextAttempt = Endpoint | Promise<Endpoint | undefined> | undefined;

/** A failed attempt as the decision sees it. */
interface FailedAttempt {
  /** One of {@link FAILURE}; 0 for an answer. */
  readonly failure: number;
  /** The request may have been executed. */
  readonly executed: boolean;
  /** Only a pooled connection was dead, or its peer was about to leave. */
  readonly stale: boolean;
  /** Failed attempts, this one included. */
  readonly failed: number;
  /** Milliseconds that the answer asks to wait. */
  readonly retryAfterMs: number;
}

/** A dead pooled connection says nothing about the service: a fresh one may always be tried. */
const MIN_STALE_ATTEMPTS = 2;

/** Decides whether, where and when a failed attempt is repeated, and where a second one is made beside it. */
export class RetryPlanner {
  readonly #services: PerService<ServiceAttempts>;

  constructor(
    private readonly ports: Ports,
    private settings: ExecutorSettings,
    private readonly report: RetryReport,
  ) {
    this.#services = new PerService((service, previous) => new ServiceAttempts(service, this.settings, previous));
  }

  /** Takes over a new configuration; budgets go on. */
  configure(settings: ExecutorSettings): void {
    this.settings = settings;
    this.#services.renew();
  }

  of(plan: ServicePlan): ServiceAttempts {
    return this.#services.of(plan);
  }

  /** Repetitions that the services of `plans` may still have, for those that were called. */
  *budgets(plans: Iterable<ServicePlan>): Iterable<readonly [service: string, available: number]> {
    const now = this.ports.clock.now();
    for (const plan of plans) {
      const attempts = this.#services.peek(plan);
      if (attempts !== undefined) yield [plan.service, Math.floor(attempts.budget.available(now))];
    }
  }

  /** The first attempt of a call is about to begin. */
  begin(call: Invocation, attempts: ServiceAttempts): void {
    const policy = attempts.retryOf(call);
    attempts.budget.request(call.startedAt);
    const isIdempotent = attempts.isIdempotent(call);
    call.tryTimeout = tryTimeoutOf(call, policy, isIdempotent);
    if (policy.conditions.watchesAnswers) call.watchesAnswer = true;
    if (attempts.hedging !== undefined && isIdempotent) call.hedgeAfter = attempts.hedging.delayMs;
  }

  /** After an attempt that got no answer; `call.failedAttempts` counts it already. */
  again(call: Invocation, plan: ServicePlan, failure: AttemptFailure): NextAttempt {
    const attempts = this.of(plan);
    const policy = attempts.retryOf(call);
    const kind = failureOf(failure.code);
    if ((policy.conditions.failures & kind) === 0) return undefined;
    // Half an answer, or none that can be read, on a pooled connection: somebody was there, and has worked.
    const stale = failure.reusedConnection && (failure.code === 'MESH_ERR_UPSTREAM_RESET' || !failure.sent);
    return this.#repeat(call, plan, attempts, policy, {
      failure: kind,
      executed: failure.sent,
      stale,
      failed: call.failedAttempts,
      retryAfterMs: 0,
    });
  }

  /** After an answer; `call.failedAttempts` does not count it. */
  answered(call: Invocation, plan: ServicePlan, answer: AnswerView): NextAttempt {
    const attempts = this.of(plan);
    const policy = attempts.retryOf(call);
    if (!policy.conditions.hasStatus(answer.status, answer.grpcStatus)) return undefined;
    // What a sidecar refuses by a policy, it would refuse again.
    const code = answer.header('x-mesher-error') ?? '';
    const refusal = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].retryable : 'maybe-executed';
    if (refusal === 'no') return undefined;
    const state = (call.retried ??= newRetryState());
    state.elsewhere += repetitionsBelow(answer);
    const isGrpc = answer.grpcStatus !== undefined;
    const pushbackMs = isGrpc ? parsePushback(answer.header(PUSHBACK_FIELD)) : 0;
    return this.#repeat(call, plan, attempts, policy, {
      failure: 0,
      executed: refusal === 'maybe-executed',
      stale: false,
      failed: call.failedAttempts + 1,
      retryAfterMs: Math.max(pushbackMs, parseRetryAfter(answer.header('retry-after'), this.ports.clock)),
    });
  }

  /** An attempt has taken long. @returns where another one is made beside it */
  hedge(call: Invocation, plan: ServicePlan): Endpoint | undefined {
    const attempts = this.of(plan);
    const { hedging } = attempts;
    const state = (call.retried ??= newRetryState());
    if (hedging === undefined || state.hedges >= hedging.maxHedges) return undefined;
    if (!call.bodyReplayable) return this.#skip(attempts, 'body');
    if (isRepeatedElsewhere(call)) return this.#skip(attempts, 'layer');
    const taken = [...(call.tried ?? []), ...(call.hedges ?? [])];
    if (call.underWay !== undefined) taken.push(call.underWay);
    const next = plan.pick(call, taken);
    if (next === undefined) return this.#skip(attempts, 'no-endpoint');
    const now = this.ports.clock.now();
    if (!this.#take(attempts, now)) return this.#skip(attempts, 'budget');
    state.hedges++;
    state.hedgedAt = now;
    return next;
  }

  /** An answer with this status is worth no more than a failure. */
  isFailure(call: Invocation, plan: ServicePlan, { status, grpcStatus }: AnswerView): boolean {
    return this.of(plan).retryOf(call).conditions.hasStatus(status, grpcStatus);
  }

  /** What would be done about failed and slow attempts of `call`, whose plan is known; `call.deadlineAt` is set. Changes nothing. */
  explain(call: Invocation, into: Explanation): void {
    if (call.plan !== undefined) explainAttempts(call, this.of(call.plan), this.ports.clock.now(), into);
  }

  #repeat(
    call: Invocation,
    plan: ServicePlan,
    attempts: ServiceAttempts,
    policy: RetryPolicy,
    attempt: FailedAttempt,
  ): NextAttempt {
    const state = (call.retried ??= newRetryState());
    const isIdempotent = attempts.isIdempotent(call);
    const isSafe = isSafeToRepeat(isIdempotent, attempt);
    const bound = boundOf(policy, attempt, isSafe);
    if (attempt.failed >= bound) return bound > 1 ? this.#skip(attempts, 'attempts') : undefined;
    if (attempt.executed && !isIdempotent && !policy.anyMethod) return this.#skip(attempts, 'method');
    if (!call.bodyReplayable) return this.#skip(attempts, 'body');
    const isFree = attempt.stale || (attempt.failure !== 0 && !attempt.executed);
    if (!attempt.stale && (attempt.failed + state.elsewhere >= bound || isRepeatedElsewhere(call))) {
      return this.#skip(attempts, 'layer');
    }
    const { endpoint } = call;
    const next = this.#choose(call, plan, policy, state, attempt);
    if (next === undefined) return this.#skip(attempts, 'no-endpoint');
    if (!isSafe && next !== endpoint && (call.tried?.length ?? 0) >= policy.maxInstances) {
      return this.#skip(attempts, 'attempts');
    }
    if (attempt.retryAfterMs > policy.backoff.maxRetryAfterMs) return this.#skip(attempts, 'retry-after');
    const atOnce = attempt.stale || (isFree && next !== endpoint);
    const backoff = atOnce ? 0 : policy.backoff.delay(state.repeated + 1, this.ports.random);
    const wait = Math.max(backoff, attempt.retryAfterMs);
    const now = this.ports.clock.now();
    const deadline = attempts.retryUntil(call);
    if (now + wait >= deadline) return this.#skip(attempts, 'deadline');
    if (!isFree) {
      if (!this.#take(attempts, now)) {
        markExhausted(call);
        return this.#skip(attempts, 'budget');
      }
      markRepetition(call, ++state.repeated);
    }
    // What nobody has set bounds further attempts, but not the first one.
    if (call.deadlineAt === Infinity) call.deadlineAt = deadline;
    state.triesHere = next === endpoint ? state.triesHere + 1 : 1;
    return wait === 0 ? next : this.#after(wait, call, plan, next);
  }

  /** The endpoint for another attempt; what has failed for good is noted in `call.tried`. */
  #choose(
    call: Invocation,
    plan: ServicePlan,
    policy: RetryPolicy,
    state: RetryState,
    attempt: FailedAttempt,
  ): Endpoint | undefined {
    const { endpoint } = call;
    // A new connection may go to the instance of the dead one.
    if (endpoint === undefined || attempt.stale) return plan.pick(call, call.tried);
    const mayStay = state.triesHere < policy.triesPerInstance && !endpoint.retired;
    // An instance that cannot be reached, or is passed over by now, is not waited for while there is another one.
    if (mayStay && attempt.failure !== FAILURE.connect && !endpoint.isOut) return endpoint;
    const tried = (call.tried ??= []);
    if (!tried.includes(endpoint)) tried.push(endpoint);
    return plan.pick(call, tried) ?? (mayStay ? endpoint : undefined);
  }

  /** The endpoint after a wait. It may be gone by then; undefined also when the call is over, which ends the wait. */
  #after(wait: number, call: Invocation, plan: ServicePlan, endpoint: Endpoint): Promise<Endpoint | undefined> {
    return new Promise((resolve) => {
      const wake = (): void => {
        call.wake = undefined;
        timer.cancel();
        if (call.ended) resolve(undefined);
        else resolve(endpoint.retired ? plan.pick(call, call.tried) : endpoint);
      };
      const timer = this.ports.timers.after(wait, wake);
      call.wake = wake;
    });
  }

  #take(attempts: ServiceAttempts, now: number): boolean {
    if (attempts.budget.take(now)) return true;
    this.report.exhausted(attempts, now);
    return false;
  }

  #skip(attempts: ServiceAttempts, reason: SkipReason): undefined {
    this.report.skipped(attempts.service, reason);
    return undefined;
  }
}

/** Repeating it can do no harm, and says nothing about the service: also done without `retryEnabled`. */
function isSafeToRepeat(isIdempotent: boolean, { failure, executed }: FailedAttempt): boolean {
  return (failure === FAILURE.connect || failure === FAILURE.reset) && (!executed || isIdempotent);
}

function boundOf({ safeAttempts, maxAttempts }: RetryPolicy, { stale }: FailedAttempt, isSafe: boolean): number {
  if (stale) return Math.max(MIN_STALE_ATTEMPTS, safeAttempts);
  return isSafe ? safeAttempts : maxAttempts;
}

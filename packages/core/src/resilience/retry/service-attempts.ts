import { GrpcMethods } from '../../grpc/grpc-methods.js';
import { FieldBundle, type Invocation } from '../../invocation.js';
import { MAX_ANNOUNCED, TIMEOUT_FIELD } from '../timeout/deadline.js';
import type { ExecutorSettings } from '../timeout/executor-settings.js';
import {
  compileRetryPolicy,
  inheritRetrySettings,
  type AttemptSettings,
  type ConnectRest,
  type HedgingPolicy,
  type RetryPolicy,
} from './retry-policy.js';
import { RetryBudget } from './retry-budget.js';
import type { RetryRule } from './retry-rule.js';

/** All that is decided ahead about the attempts of the calls of one service. */
export class ServiceAttempts {
  /** Milliseconds that a call has until its answer begins; Infinity when nobody has set them. */
  readonly timeoutMs: number;
  /** Milliseconds after the start of a call beyond which it is not tried again; the default when {@link timeoutMs} is not set. */
  readonly retryWithinMs: number;
  /** Announces {@link timeoutMs} to the called side; undefined when nobody set it. */
  readonly announcement: FieldBundle | undefined;
  readonly retry: RetryPolicy;
  readonly hedging: HedgingPolicy | undefined;
  readonly budget: RetryBudget;
  /** Undefined when none is named. */
  readonly #methods: GrpcMethods | undefined;
  /** Monotonic milliseconds of the last event about an empty budget. */
  exhaustionReportedAt: number;
  readonly #settings: AttemptSettings;
  readonly #byMark: ReadonlyMap<string, RetryPolicy>;
  /** By identity: a rule stays the same object until the configuration changes. */
  readonly #byRule = new WeakMap<RetryRule, RetryPolicy>();

  /** @param previous what there was before the configuration changed; the calls of the last seconds go on counting */
  constructor(
    readonly service: string,
    settings: ExecutorSettings,
    previous: ServiceAttempts | undefined,
  ) {
    const timeout = settings.timeoutOf(service);
    this.timeoutMs = timeout.isSet ? timeout.ms : Infinity;
    this.retryWithinMs = timeout.ms;
    this.announcement =
      this.timeoutMs <= MAX_ANNOUNCED ? new FieldBundle([[TIMEOUT_FIELD, String(timeout.ms)]]) : undefined;
    this.#settings = inheritRetrySettings(settings.retriesOf(service), settings.retries, settings.failureStatuses);
    this.retry = compileRetryPolicy(this.#settings);
    this.hedging = this.#settings.hedging;
    const { idempotentGrpcMethods: methods } = this.#settings;
    this.#methods = methods.length === 0 ? undefined : new GrpcMethods(methods);
    this.budget = previous?.budget ?? new RetryBudget(this.#settings.retryBudget);
    this.budget.options = this.#settings.retryBudget;
    this.exhaustionReportedAt = previous?.exhaustionReportedAt ?? -Infinity;
    this.#byMark = new Map(
      Array.from(settings.retriesByMark, ([mark, rule]) => [mark, compileRetryPolicy(this.#settings, rule)]),
    );
  }

  get connectRest(): ConnectRest {
    return this.#settings.connectRest;
  }

  /**
   * Monotonic milliseconds behind which a call is not tried again. A time that was chosen for its route takes the place of that of the
   * service, and one that has moved on with the request counts as it is now.
   */
  retryUntil(call: Invocation): number {
    if (call.deadlineIsOurs || call.route?.timeoutMs !== undefined) return call.deadlineAt;
    return Math.min(call.deadlineAt, call.startedAt + this.retryWithinMs);
  }

  /** A second attempt can do no harm: by the HTTP method, or because the gRPC method is named in `idempotentGrpcMethods`. */
  isIdempotent(call: Invocation): boolean {
    return call.idempotent || (call.protocol === 'grpc' && this.#methods?.has(call.path) === true);
  }

  /** The retries of one call: those of its route, of the first of its marks that has some, or of the service. */
  retryOf(call: Invocation): RetryPolicy {
    const rule = call.route?.retry;
    if (rule !== undefined) return this.#ofRule(rule);
    if (this.#byMark.size === 0) return this.retry;
    for (const mark of call.marks) {
      const policy = this.#byMark.get(mark);
      if (policy !== undefined) return policy;
    }
    return this.retry;
  }

  #ofRule(rule: RetryRule): RetryPolicy {
    let policy = this.#byRule.get(rule);
    if (policy === undefined) this.#byRule.set(rule, (policy = compileRetryPolicy(this.#settings, rule)));
    return policy;
  }
}

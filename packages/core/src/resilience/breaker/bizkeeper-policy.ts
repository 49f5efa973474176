import type { Policy, PolicyContext } from '../../chain/policy.js';
import { PerService } from '../../chain/per-service.js';
import { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation, Outcome } from '../../invocation.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { explainGuards } from './bizkeeper-explain.js';
import { BizkeeperReports } from './bizkeeper-reports.js';
import { hasBreakers, hasRules, serviceRules, watchesInstances, type ServiceRules } from './bizkeeper-rules.js';
import type { MarkedRule } from './breaker-by-mark.js';
import { loadCircuits } from './breaker-circuit.js';
import { HeldByCall } from './breaker-held.js';
import { isRelayed } from './breaker-outcomes.js';
import type { Probe } from './breaker-probes.js';
import type { WaitingEnd } from '../bulkhead/bulkhead.js';
import { checkFallbackPolicies, fallBack } from '../fallback/fallback-policies.js';
import { GuardedService, type Guard } from './guarded-service.js';

/** Makes the policy behind `bizkeeper-consumer`. @throws MeshError MESH_ERR_UNKNOWN_FALLBACK */
export function bizkeeperConsumer(context: PolicyContext): Policy {
  return new BizkeeperPolicy('bizkeeper-consumer', context);
}

/** Makes the policy behind `bizkeeper-provider`. @throws MeshError MESH_ERR_UNKNOWN_FALLBACK */
export function bizkeeperProvider(context: PolicyContext): Policy {
  return new BizkeeperPolicy('bizkeeper-provider', context);
}

type Decision = Rejection | undefined | Promise<Rejection | undefined>;

/**
 * Forced fallback, then circuit breaker, then bulkhead; and what answers instead for what they refuse. It stands outside the
 * attempts: a call counts once, however often it was tried; breakers of instances count attempts. In the usual case a call costs a
 * few comparisons and two counters.
 */
class BizkeeperPolicy implements Policy {
  isActive = true;
  watchesAttempts = false;
  /** Breakers of instances were there: the next call of each service lifts the bars that they have left behind. */
  #mayBar = false;
  readonly #reports: BizkeeperReports;
  readonly #perPlan: PerService<GuardedService>;
  /** The local application, for inbound calls. */
  #own: GuardedService | undefined;

  constructor(
    readonly name: string,
    private readonly context: PolicyContext,
  ) {
    const { configuration, direction, ports, events, metrics, logger, plugins } = context;
    this.#reports = new BizkeeperReports({ direction, clock: ports.clock, events, metrics, logger });
    this.#perPlan = new PerService((service, previous) => this.#guarded(service, previous));
    checkFallbackPolicies(configuration.document, direction, plugins);
    configuration.onCheck((document) => checkFallbackPolicies(document, direction, plugins));
    configuration.onChange(() => this.#renew());
    this.#renew();
  }

  before(call: Invocation): Decision {
    const service = this.#serviceOf(call);
    // A chain may name the handler twice: what the call holds already must not be lost.
    if (service === undefined || call.admission !== undefined) return undefined;
    const { rules } = service;
    if (rules.forced !== undefined) return this.#refused(service, '', rules.forced);
    const guard = service.guardOf(call);
    const verdict = guard.breaker?.admit(this.context.ports.clock);
    if (verdict instanceof Rejection) return this.#refused(service, guard.breaker?.name.part ?? '', verdict);
    const allOpen = service.instances?.admit(call);
    if (allOpen !== undefined) return this.#refused(service, '', allOpen);
    const isMarked = rules.marked.length > 0 && call.marks.length > 0;
    return verdict === undefined && !isMarked
      ? this.#enter(call, service, guard)
      : this.#collect(call, service, guard, verdict);
  }

  after(call: Invocation, outcome: Outcome): void {
    const { admission } = call;
    call.admission = undefined;
    admission?.ended(call, outcome);
  }

  instead(call: Invocation, rejection: Rejection): Rejection {
    const service = this.#serviceOf(call);
    if (service === undefined) return rejection;
    return fallBack(service.rules.fallback.choice, call, rejection, this.context.logger);
  }

  answerBegan(call: Invocation, status: number, grpcStatus?: number): void {
    call.admission?.began?.(call, { status, grpcStatus }, this.context.ports.clock.now() - call.startedAt);
    const service = this.#serviceOf(call);
    service?.instances?.answerBegan(call, { status, grpcStatus }, service.rules.failures);
  }

  attemptBegan(call: Invocation, endpoint: Endpoint): void {
    this.#serviceOf(call)?.instances?.began(call, endpoint);
  }

  attemptEnded(call: Invocation, endpoint: Endpoint, outcome: Outcome): void {
    const service = this.#serviceOf(call);
    service?.instances?.ended(call, endpoint, outcome, service.rules.failures);
  }

  explain(call: Invocation, into: Explanation): void {
    const name = call.plan?.service ?? call.destination?.service;
    if (name === undefined) return;
    const service = this.#known(call);
    const rules = service?.rules ?? this.#rulesOf(name);
    const refusal = explainGuards({ call, service, rules }, into);
    if (refusal === undefined) return;
    const answer = fallBack(rules.fallback.choice, call, refusal, this.context.logger);
    into.reject('fallback', answer, [`policy: ${nameOf(rules)}`], { policy: nameOf(rules) });
  }

  #serviceOf(call: Invocation): GuardedService | undefined {
    if (call.plan !== undefined) return this.#perPlan.of(call.plan);
    if (this.context.direction === 'outbound') return undefined;
    return this.#own ?? this.#ownOf(call);
  }

  #refused(service: GuardedService, part: string, refusal: Rejection): Rejection {
    this.#reports.refusedCall(service.name, part);
    return refusal;
  }

  /** What there is already, brought up to the present configuration. */
  #known({ plan }: Invocation): GuardedService | undefined {
    if (plan === undefined) return this.#own;
    return this.#perPlan.peek(plan) === undefined ? undefined : this.#perPlan.of(plan);
  }

  #ownOf(call: Invocation): GuardedService | undefined {
    const name = call.destination?.service;
    return name === undefined ? undefined : (this.#own = this.#guarded(name, undefined));
  }

  /** The place in the bulkhead of the service, which is the last thing that a call needs. */
  #enter(call: Invocation, service: GuardedService, guard: Guard): Decision {
    const entry = isRelayed(call) ? undefined : service.bulkhead.enter(call);
    if (entry === undefined) {
      call.admission = guard;
      return undefined;
    }
    if (entry instanceof Rejection) return entry;
    return entry.then((end) => {
      if (end instanceof Rejection) return end;
      if (end === 'entered') call.admission = guard;
      return undefined;
    });
  }

  /** For a call that is a probe, or marked: what it takes on the way is given back if it is refused in the end. */
  #collect(call: Invocation, service: GuardedService, guard: Guard, probe: Probe | undefined): Decision {
    const held = new HeldByCall();
    if (probe !== undefined) call.watchesBeginning = true;
    if (guard.breaker !== undefined) held.breaker(guard.breaker, service.rules.failures, probe);
    return this.#collectFrom(call, service, held, service.rules.marked, 0);
  }

  /** @param marked those in effect when the call began: by the time a wait ends there may be others, in another order */
  #collectFrom(
    call: Invocation,
    service: GuardedService,
    held: HeldByCall,
    marked: readonly MarkedRule[],
    from: number,
  ): Decision {
    for (let i = from; i < marked.length; i++) {
      const rule = marked[i];
      if (rule === undefined || !call.marks.includes(rule.mark)) continue;
      const { breaker, bulkhead } = service.marked(rule);
      if (rule.breaker !== undefined && breaker !== undefined) {
        const verdict = rule.breaker.forced ?? breaker.admit(this.context.ports.clock);
        if (verdict instanceof Rejection) {
          this.#reports.refusedCall(service.name, breaker.name.part);
          return this.#giveBack(held, verdict);
        }
        if (verdict !== undefined) call.watchesBeginning = true;
        held.breaker(breaker, rule.breaker.failures, verdict);
      }
      if (bulkhead === undefined || isRelayed(call)) continue;
      const entry = bulkhead.enter(call);
      if (entry === undefined) held.bulkhead(bulkhead);
      else if (entry instanceof Rejection) return this.#giveBack(held, entry);
      else {
        return entry.then((end) => {
          if (end === 'entered') held.bulkhead(bulkhead);
          return this.#waited(held, end) ?? this.#collectFrom(call, service, held, marked, i + 1);
        });
      }
    }
    const entry = isRelayed(call) ? undefined : service.bulkhead.enter(call);
    if (entry instanceof Rejection) return this.#giveBack(held, entry);
    if (entry === undefined) return this.#hold(call, service, held);
    return entry.then((end) => this.#waited(held, end) ?? this.#hold(call, service, held));
  }

  #hold(call: Invocation, service: GuardedService, held: HeldByCall): undefined {
    if (!isRelayed(call)) held.bulkhead(service.bulkhead);
    call.admission = held;
    return undefined;
  }

  /** @returns undefined when the call goes on */
  #waited(held: HeldByCall, end: WaitingEnd): Rejection | undefined {
    if (end === 'entered') return undefined;
    // Nobody reads the answer to a call whose caller has left; what it holds must go back all the same.
    return this.#giveBack(held, end === 'left' ? LEFT : end);
  }

  #giveBack(held: HeldByCall, refusal: Rejection): Rejection {
    held.giveBack(this.context.ports.clock.now());
    return refusal;
  }

  #guarded(name: string, previous: GuardedService | undefined): GuardedService {
    const rules = this.#rulesOf(name);
    if (previous === undefined) return new GuardedService(name, rules, this.context.ports, this.#reports);
    previous.adopt(rules);
    return previous;
  }

  #rulesOf(name: string): ServiceRules {
    const { configuration, direction, plugins } = this.context;
    return serviceRules(configuration.document, direction, name, plugins);
  }

  #renew(): void {
    const { configuration, direction } = this.context;
    const { document } = configuration;
    this.#mayBar ||= this.watchesAttempts;
    this.isActive = hasRules(document, direction) || this.#mayBar;
    this.watchesAttempts = watchesInstances(document, direction);
    if (hasBreakers(document, direction)) loadCircuits();
    this.#perPlan.renew();
    if (this.#own !== undefined) this.#own.adopt(this.#rulesOf(this.#own.name));
  }
}

const LEFT = new Rejection('MESH_ERR_BULKHEAD_FULL', 'The caller left while its call waited for a place');

function nameOf({ fallback: { choice } }: ServiceRules): string {
  return typeof choice === 'string' ? choice : choice.name;
}

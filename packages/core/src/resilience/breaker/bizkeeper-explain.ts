import type { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation } from '../../invocation.js';
import type { ServiceRules } from './bizkeeper-rules.js';
import { isRelayed } from './breaker-outcomes.js';
import type { GuardedService } from './guarded-service.js';

/** A call, and what it would meet. */
export interface GuardedCall {
  readonly call: Invocation;
  /** Undefined when no call of the service has come yet. */
  readonly service: GuardedService | undefined;
  readonly rules: ServiceRules;
}

/**
 * Says which breakers and bulkheads the call would meet and how they are; changes nothing.
 * @returns why the call would be refused
 */
export function explainGuards(guarded: GuardedCall, into: Explanation): Rejection | undefined {
  const { forced } = guarded.rules;
  if (forced !== undefined) {
    into.add('circuit-breaker', forced.message, [], { forced: true });
    return forced;
  }
  return explainBreaker(guarded, into) ?? explainMarked(guarded, into) ?? explainBulkhead(guarded, into);
}

function explainBreaker({ call, service, rules }: GuardedCall, into: Explanation): Rejection | undefined {
  if (rules.breaker === undefined) {
    into.add('circuit-breaker', 'not enabled', [], { enabled: false });
    return undefined;
  }
  const { scope, breaker: settings } = rules;
  const rule = `scope ${scope}; opens at ${settings.failurePercentage} % failures among at least ${settings.minCalls} calls`;
  if (scope === 'instance' || scope === 'instance-api') {
    const states = service?.instances?.describe(call) ?? [];
    const refusal = service?.instances?.keepAway(call);
    into.add('circuit-breaker', refusal?.message ?? 'passes', [rule, ...states], { scope, states });
    return refusal;
  }
  const breaker = service?.peekGuard(call)?.breaker;
  if (breaker === undefined) {
    into.add('circuit-breaker', 'closed: nothing was counted yet', [rule], { scope, state: 'closed', calls: 0 });
    return undefined;
  }
  const { counts, name, state } = breaker;
  into.add('circuit-breaker', breaker.describe(), name.part === '' ? [rule] : [name.part, rule], {
    scope,
    state,
    name: name.part,
    ...counts,
    probesInMs: Math.round(breaker.opensProbesIn),
  });
  return breaker.refusal;
}

function explainMarked({ call, service, rules }: GuardedCall, into: Explanation): Rejection | undefined {
  for (const rule of rules.marked) {
    if (!call.marks.includes(rule.mark) || (rule.bulkhead !== undefined && isRelayed(call))) continue;
    const { breaker, bulkhead } = service?.peekMarked(rule) ?? { breaker: undefined, bulkhead: undefined };
    const stage = rule.breaker === undefined ? 'bulkhead' : 'circuit-breaker';
    const state = (breaker ?? bulkhead)?.describe() ?? 'nothing was counted yet';
    into.add(stage, `${rule.key}: ${state}`, [`for the mark ${rule.mark}`], { policy: rule.key, mark: rule.mark });
    const refusal = rule.breaker?.forced ?? breaker?.refusal ?? bulkhead?.refusal;
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function explainBulkhead({ call, service, rules }: GuardedCall, into: Explanation): Rejection | undefined {
  if (isRelayed(call)) return undefined;
  if (service === undefined) {
    const { maxConcurrent } = rules.bulkhead;
    const limit = maxConcurrent === Infinity ? 'any number of' : String(maxConcurrent);
    into.add('bulkhead', `passes: no calls under way, ${limit} may be`, [], { inUse: 0 });
    return undefined;
  }
  const { bulkhead } = service;
  const { inUse, queued, limit, refusal } = bulkhead;
  into.add('bulkhead', bulkhead.describe(), [], { inUse, queued, limit: limit === Infinity ? undefined : limit });
  return refusal;
}

import type { Policy } from '../chain/policy.js';
import type { Rejection } from '../errors.js';
import type { CallProtocol, Outcome } from '../invocation.js';
import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import { ServicePlan } from '../registry/service-plan.js';
import { bizkeeperConsumer, bizkeeperProvider } from '../resilience/breaker/bizkeeper-policy.js';
import { FakeCall } from './fake-call.js';
import { outcome } from './handler-rig.js';
import { meshDocument, policyContext, type PolicyContextSettings } from './policy-context.js';

export interface BizkeeperCallFacts {
  readonly service?: string;
  readonly path?: string;
  readonly method?: string;
  readonly protocol?: CallProtocol;
  readonly marks?: readonly string[];
}

/** A bizkeeper over configuration given as text, and calls that go through it as handlers lead them. */
export async function bizkeeperRig(yaml: string, settings: Omit<PolicyContextSettings, 'files'> = {}) {
  const context = await policyContext({ ...settings, files: { 'circuit_breaker.yaml': yaml } });
  const isInbound = settings.direction === 'inbound';
  const policy: Policy = isInbound ? bizkeeperProvider(context) : bizkeeperConsumer(context);
  const plans = new Map<string, ServicePlan>();
  const planOf = (service: string): ServicePlan => {
    const plan =
      plans.get(service) ?? new ServicePlan(service, context.ports, steadyBalancing(context.ports), () => undefined);
    plans.set(service, plan);
    return plan;
  };

  /** A call that is to be decided about now. */
  function call({ service = 'world', marks, ...facts }: BizkeeperCallFacts = {}): FakeCall {
    const made = new FakeCall({
      ...facts,
      direction: isInbound ? 'inbound' : 'outbound',
      startedAt: context.time.now(),
      destination: { service },
    });
    if (!isInbound) made.plan = planOf(service);
    if (marks !== undefined) made.marks = marks;
    return made;
  }

  /** What the caller gets when the call is refused; undefined when it may pass. */
  function begin(made: FakeCall): Rejection | undefined {
    const decision = policy.before?.(made);
    if (decision instanceof Promise) throw new Error('the call waits');
    if (decision === undefined) return undefined;
    return policy.instead?.(made, decision) ?? decision;
  }

  function end(made: FakeCall, facts: Partial<Outcome> = {}): void {
    made.ended = true;
    made.wake?.();
    policy.after?.(made, outcome(facts));
  }

  /** A whole call; the answer is that of Mesher, or undefined for that of the service. */
  function make(facts: BizkeeperCallFacts = {}, ends: Partial<Outcome> = {}): Rejection | undefined {
    const made = call(facts);
    const refusal = begin(made);
    if (refusal === undefined) end(made, ends);
    return refusal;
  }

  const reconfigure = async (text: string): Promise<void> => {
    const document = await meshDocument({ 'circuit_breaker.yaml': text });
    context.configuration.check(document);
    context.configuration.swap(document);
  };
  return { ...context, policy, call, begin, end, make, reconfigure };
}

/** How a call ends that counts as a failure. */
export const FAILED: Partial<Outcome> = { status: 503 };

/** A breaker per service that opens when half of at least four calls failed; further keys of the side Consumer may be appended. */
export const BREAKER =
  'cse:\n  circuitBreaker:\n    scope: service\n    Consumer:\n      enabled: true\n      requestVolumeThreshold: 4\n      sleepWindowJitterPercentage: 0\n';

export function times(count: number, what: (index: number) => unknown): void {
  for (let i = 0; i < count; i++) what(i);
}

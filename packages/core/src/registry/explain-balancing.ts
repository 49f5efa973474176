import { formatHostPort } from '../config/schema/address.js';
import type { Explanation } from '../explain/explanation.js';
import type { CallProtocol, Invocation } from '../invocation.js';
import { warmth } from '../loadbalance/slow-start.js';
import type { Candidates } from './candidates.js';
import { describeWire, wireTo, type Endpoint, type HttpWire } from './endpoint.js';
import { stateOf } from './endpoint-metrics.js';
import type { Instance } from './instance.js';
import { addressFor, type LeftOut } from './instance-choice.js';
import { nobody } from './nobody.js';

const STAGE = 'load-balancer';

/** Endpoints that are named one by one, for people; the data has all. */
const MAX_NAMED = 50;

/** Why an instance or endpoint gets no calls. */
export type DropReason = LeftOut | 'subset' | 'resting' | 'ejected' | 'breaker';

const WORDS: Readonly<Record<DropReason, string>> = {
  status: 'its status is not UP',
  weight: 'its weight is 0, or no number',
  protocol: 'it has no address for the protocol',
  tls: 'its address wants TLS',
  subset: 'it is not in the subset',
  resting: 'it rests after failed connects',
  ejected: 'it is ejected because of its answers',
  breaker: 'its circuit breaker is open',
};

/** What a plan knows about the choice. */
export interface BalancingFacts {
  readonly service: string;
  readonly candidates: Candidates;
  /** Instances that are no candidates. */
  readonly leftOut: readonly { readonly instance: Instance; readonly reason: LeftOut | 'subset' }[];
  readonly now: number;
}

interface Kept {
  readonly endpoint: string;
  readonly instance: string | undefined;
  /** 0..1; undefined when the strategy does not say. */
  readonly probability: number | undefined;
  readonly tier: string;
  /** Over which version of HTTP the call would go there; undefined for connections that are no HTTP. */
  readonly over: HttpWire | undefined;
  readonly inFlight: number;
  readonly latencyMs: number | undefined;
  /** 0..1 */
  readonly warmth: number;
}

/** Tells which endpoint the call would go to with which probability, and why it would not go to others. */
export function explainBalancing(facts: BalancingFacts, call: Invocation, into: Explanation): void {
  const { candidates, leftOut, service } = facts;
  // First of all: it looks who is fit at present.
  const { isPanicking } = candidates;
  const dropped = [
    ...leftOut.map(({ instance, reason }) => ({ endpoint: addressOf(instance, call), reason })),
    ...candidates.endpoints
      .filter((endpoint) => !candidates.takes(endpoint))
      .map((endpoint) => ({ endpoint: endpoint.key, reason: stateOf(endpoint) as DropReason })),
  ];
  const lines = dropped.slice(0, MAX_NAMED).map(({ endpoint, reason }) => `- ${endpoint}: ${WORDS[reason]}`);
  if (candidates.endpoints.length === 0) {
    const instances = leftOut.map(({ instance }) => instance);
    into.reject(STAGE, nobody(service, instances, call), lines, { dropped });
    return;
  }
  const { strategy } = candidates.balance;
  const session = candidates.sessionOf(call);
  const kept = keptOf(facts, call, session);
  const details = [...kept.slice(0, MAX_NAMED).map((one) => lineOf(one, call.protocol)), ...lines];
  if (isPanicking) details.unshift('too few endpoints are fit: ejections and open breakers are ignored');
  const data = { strategy: strategy.name, panic: isPanicking, session: session?.key, kept, dropped };
  const certain = session?.key ?? kept.find(({ probability }) => probability === 1)?.endpoint;
  const among = `${kept.length} of ${candidates.endpoints.length + leftOut.length} endpoints`;
  const decision =
    session !== undefined
      ? `${session.key}, as the cookie of the client says`
      : certain !== undefined
        ? `${strategy.name}: ${certain}`
        : `${strategy.name} among ${among}`;
  into.add(STAGE, decision, details, data);
}

function keptOf({ candidates, now }: BalancingFacts, call: Invocation, session: Endpoint | undefined): Kept[] {
  const { slowStart, strategy } = candidates.balance;
  const tiers = candidates.describe(call);
  const known = tiers.every(({ picks }) => picks !== undefined);
  const warm = (endpoint: Endpoint): number =>
    slowStart === undefined || !strategy.warmsUp ? 1 : warmth(endpoint, now, slowStart);
  const found = tiers.flatMap(({ name, share, picks, endpoints }) =>
    endpoints
      .filter((endpoint) => candidates.takes(endpoint))
      .map((endpoint) => ({ name, endpoint, raw: share * (picks?.get(endpoint) ?? 0) * warm(endpoint) })),
  );
  const total = found.reduce((sum, { raw }) => sum + raw, 0);
  return found.map(({ name, endpoint, raw }) => ({
    endpoint: endpoint.key,
    instance: endpoint.instance?.instanceId,
    probability: session !== undefined ? Number(session === endpoint) : known && total > 0 ? raw / total : undefined,
    tier: name,
    over: wireTo(endpoint, call.protocol),
    inFlight: endpoint.inFlight,
    latencyMs: endpoint.latencyMs === 0 ? undefined : endpoint.latencyMs,
    warmth: warm(endpoint),
  }));
}

function lineOf(kept: Kept, protocol: CallProtocol): string {
  const { endpoint, probability, tier, over, inFlight, latencyMs, warmth: warm } = kept;
  const parts = [
    probability === undefined ? 'the strategy does not say how often' : `${(probability * 100).toFixed(1)} %`,
    tier,
    describeWire(over, protocol),
    inFlight === 0 ? '' : `${inFlight} under way`,
    latencyMs === undefined ? '' : `about ${latencyMs.toFixed(1)} ms`,
    warm === 1 ? '' : `warms up: ${(warm * 100).toFixed(0)} % of its share`,
  ];
  return `+ ${endpoint}: ${parts.filter((part) => part !== '').join(', ')}`;
}

function addressOf(instance: Instance, call: Invocation): string {
  const address = addressFor(instance, call.protocol) ?? [...instance.addresses.values()][0];
  return address === undefined ? instance.instanceId : formatHostPort(address);
}

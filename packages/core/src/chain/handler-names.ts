import { MeshError } from '../errors.js';
import { faultInjection } from '../resilience/fault/fault-injection.js';
import { markedRateLimit } from '../resilience/rate-limit/rate-limit-by-mark.js';
import { consumerRateLimit, providerRateLimit } from '../resilience/rate-limit/rate-limit-policy.js';
import { routerPolicy } from '../routing/router-policy.js';
import { trafficMarker } from '../routing/traffic-marker.js';
import { bizkeeperConsumer, bizkeeperProvider } from '../resilience/breaker/bizkeeper-policy.js';
import { consumerTracing, providerTracing } from '../telemetry/tracing/tracing-policy.js';
import type { Policy, PolicyContext, PolicyFactory } from './policy.js';
import { PolicyChain } from './policy-chain.js';

/**
 * What a go-chassis handler name stands for here.
 * `executor`: picking, retrying and sending are done between the policies and the wire for every chain, so the name only documents.
 * `later`: accepted so that existing files load; the policy comes with a later version, and a start says so.
 */
export type HandlerMeaning = 'executor' | 'later' | PolicyFactory;

/** Every handler name that go-chassis and mesher know. */
export const HANDLER_NAMES: Readonly<Record<string, HandlerMeaning>> = {
  router: routerPolicy,
  loadbalance: 'executor',
  transport: 'executor',
  'bizkeeper-consumer': bizkeeperConsumer,
  'bizkeeper-provider': bizkeeperProvider,
  'ratelimiter-consumer': consumerRateLimit,
  'ratelimiter-provider': providerRateLimit,
  'rate-limiter': markedRateLimit,
  'traffic-marker': trafficMarker,
  'fault-inject': faultInjection,
  'tracing-consumer': consumerTracing,
  'tracing-provider': providerTracing,
  'access-log': 'later',
  monitoring: 'executor',
  jwt: 'later',
  basicAuth: 'later',
  oauth2: 'later',
  'port-selector': 'later',
  'skywalking-consumer': 'later',
  'skywalking-provider': 'later',
};

/** What runs when the configuration names no chain: every policy, since those that are not configured cost nothing. */
export const DEFAULT_CONSUMER_CHAIN: readonly string[] = [
  'tracing-consumer',
  'traffic-marker',
  'router',
  'ratelimiter-consumer',
  'bizkeeper-consumer',
  'fault-inject',
  'loadbalance',
  'transport',
];
export const DEFAULT_PROVIDER_CHAIN: readonly string[] = [
  'tracing-provider',
  'traffic-marker',
  'rate-limiter',
  'ratelimiter-provider',
  'bizkeeper-provider',
  'transport',
];

export interface AssembledChain {
  readonly policies: PolicyChain;
  /** Names that were accepted and have no effect yet. */
  readonly withoutEffect: readonly string[];
}

/**
 * Makes the policies of a chain from handler names, in their order.
 * @param chain where the names stand below `servicecomb.handler.chain`, for the message
 * @throws MeshError MESH_ERR_UNKNOWN_HANDLER naming the known ones
 */
export function assembleChain(
  chain: string,
  names: readonly string[],
  context: PolicyContext,
  meanings: Readonly<Record<string, HandlerMeaning>> = HANDLER_NAMES,
): AssembledChain {
  const policies: Policy[] = [];
  const withoutEffect: string[] = [];
  for (const name of names) {
    const meaning = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
    if (meaning === undefined) {
      throw new MeshError(
        'MESH_ERR_UNKNOWN_HANDLER',
        `servicecomb.handler.chain.${chain} names the handler '${name}', which does not exist; known are ${Object.keys(meanings).sort().join(', ')}`,
      );
    }
    if (meaning === 'later') withoutEffect.push(name);
    else if (meaning !== 'executor') policies.push(meaning(context));
  }
  const active = new PolicyChain(policies, context.logger);
  // After the policies, which have taken over the new configuration by then.
  context.configuration.onChange(() => active.refresh());
  return { policies: active, withoutEffect };
}

import type { MeshDocument } from '../../config/document.js';
import { sideValues } from '../../config/sections/by-side.js';
import {
  circuitBreakerSchema,
  type BreakerScope,
  type CircuitBreakerSide,
} from '../../config/sections/circuit-breaker.js';
import { fallbackPolicySchema, fallbackSchema } from '../../config/sections/fallback.js';
import { isolationSchema } from '../../config/sections/isolation.js';
import { markedBulkheadSchema } from '../../config/sections/marked-bulkhead.js';
import { markedCircuitBreakerSchema } from '../../config/sections/marked-circuit-breaker.js';
import { Rejection } from '../../errors.js';
import type { Direction } from '../../invocation.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import type { ApiTableOptions } from './breaker-apis.js';
import { forcedOpen, markedBreakerRule, markedBulkheadRule, type MarkedRule } from './breaker-by-mark.js';
import { FailureStatuses } from './breaker-outcomes.js';
import { breakerSettings, type BreakerSettings } from './breaker-settings.js';
import type { BulkheadSettings } from '../bulkhead/bulkhead.js';
import { sideOf } from '../config-side.js';
import { fallbackRule, type FallbackRule } from '../fallback/fallback-policies.js';
import { transportFailures } from '../transport-failures.js';

/** All that the configuration says about breakers, bulkheads and fallbacks of one service in one direction. */
export interface ServiceRules {
  readonly scope: BreakerScope;
  /** Undefined while no breaker can open by itself. */
  readonly breaker: BreakerSettings | undefined;
  /** Why no call is let through at all; undefined while calls are. */
  readonly forced: Rejection | undefined;
  readonly failures: FailureStatuses;
  readonly apis: ApiTableOptions;
  /** Milliseconds without a call after which the breaker of an instance is forgotten. */
  readonly idleMs: number;
  readonly bulkhead: BulkheadSettings;
  readonly marked: readonly MarkedRule[];
  readonly fallback: FallbackRule;
}

/** @throws MeshError MESH_ERR_UNKNOWN_FALLBACK */
export function serviceRules(
  document: MeshDocument,
  direction: Direction,
  service: string,
  plugins: InstalledPlugins,
): ServiceRules {
  const side = sideOf(direction);
  const section = document.section('cse.circuitBreaker', circuitBreakerSchema);
  const breaker = sideValues(section[side], service);
  const fallback = fallbackRule(document, direction, service, plugins);
  return {
    // There is one local instance.
    scope: direction === 'inbound' ? withoutInstance(section.scope) : section.scope,
    breaker: breaker.enabled ? breakerSettings(breaker) : undefined,
    forced: fallback.force
      ? forcedFallback(service, `cse.fallback.${side}`)
      : breaker.forceOpen
        ? forcedOpen(service, `cse.circuitBreaker.${side}`)
        : undefined,
    failures: new FailureStatuses([...breaker.failureStatuses, ...transportFailures(document)]),
    apis: {
      max: breaker.maxApis,
      templates: breaker.apiTemplates,
      idleMs: breaker.idleTimeoutInMilliseconds,
    },
    idleMs: breaker.idleTimeoutInMilliseconds,
    bulkhead: bulkheadSettings(document, side, service),
    marked: markedRules(document, breaker.probeTimeoutInMilliseconds),
    fallback,
  };
}

function bulkheadSettings(document: MeshDocument, side: 'Consumer' | 'Provider', service: string): BulkheadSettings {
  const section = document.section('cse.isolation', isolationSchema)[side];
  const { maxConcurrentRequests, maxQueue, queueTimeoutMs, adaptive } = sideValues(section, service);
  const hasOwn = section.services.get(service)?.maxConcurrentRequests !== undefined;
  const group = `cse.isolation.${side}${hasOwn ? `.${service}` : ''}`;
  return {
    maxConcurrent: maxConcurrentRequests === 0 ? Infinity : maxConcurrentRequests,
    maxQueue,
    queueTimeoutMs,
    adaptive: adaptive.enabled ? adaptive : undefined,
    key: adaptive.enabled ? `cse.isolation.${side}.adaptive` : `${group}.maxConcurrentRequests`,
  };
}

/** Not a state of any breaker, and so without a time at which to come back. */
function forcedFallback(service: string, key: string): Rejection {
  return new Rejection('MESH_ERR_BREAKER_OPEN', `Calls of ${service} get the fallback only: ${key}.force is set`);
}

function markedRules(document: MeshDocument, probeTimeoutMs: number): readonly MarkedRule[] {
  const breakers = document.section('servicecomb.circuitBreaker', markedCircuitBreakerSchema);
  const bulkheads = document.section('servicecomb.bulkhead', markedBulkheadSchema);
  return [
    ...Array.from(breakers, ([name, values]) => markedBreakerRule(name, values, probeTimeoutMs)),
    ...Array.from(bulkheads, ([name, values]) => markedBulkheadRule(name, values)),
  ];
}

/** True when the configuration of a direction leaves anything to do at all. */
export function hasRules(document: MeshDocument, direction: Direction): boolean {
  const side = sideOf(direction);
  const breaker = document.section('cse.circuitBreaker', circuitBreakerSchema)[side];
  const isolation = document.section('cse.isolation', isolationSchema)[side];
  if (breaker.enabled || breaker.forceOpen || breaker.services.size > 0) return true;
  if (isolation.maxConcurrentRequests > 0 || isolation.adaptive.enabled || isolation.services.size > 0) return true;
  if (document.section('servicecomb.circuitBreaker', markedCircuitBreakerSchema).size > 0) return true;
  if (document.section('servicecomb.bulkhead', markedBulkheadSchema).size > 0) return true;
  return hasFallback(document, side);
}

/** True when some breaker may open by itself. */
export function hasBreakers(document: MeshDocument, direction: Direction): boolean {
  if (anyEnabled(document.section('cse.circuitBreaker', circuitBreakerSchema)[sideOf(direction)])) return true;
  return document.section('servicecomb.circuitBreaker', markedCircuitBreakerSchema).size > 0;
}

/** True when attempts have to be watched, for breakers of instances. */
export function watchesInstances(document: MeshDocument, direction: Direction): boolean {
  const section = document.section('cse.circuitBreaker', circuitBreakerSchema);
  const isByInstance = direction === 'outbound' && withoutInstance(section.scope) !== section.scope;
  return isByInstance && anyEnabled(section[sideOf(direction)]);
}

function anyEnabled({ enabled, services }: CircuitBreakerSide): boolean {
  return enabled || [...services.values()].some((own) => own.enabled === true);
}

function hasFallback(document: MeshDocument, side: 'Consumer' | 'Provider'): boolean {
  const fallback = document.section('cse.fallback', fallbackSchema)[side];
  const policy = document.section('cse.fallbackpolicy', fallbackPolicySchema)[side];
  return fallback.force || fallback.services.size > 0 || policy.policy !== 'throwexception' || policy.services.size > 0;
}

function withoutInstance(scope: BreakerScope): BreakerScope {
  if (scope === 'instance') return 'service';
  return scope === 'instance-api' ? 'api' : scope;
}

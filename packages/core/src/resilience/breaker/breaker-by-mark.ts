import type { MarkedBreakerValues } from '../../config/sections/marked-circuit-breaker.js';
import type { MarkedBulkheadValues } from '../../config/sections/marked-bulkhead.js';
import { parseDuration } from '../../config/schema/duration.js';
import { Rejection } from '../../errors.js';
import { FailureStatuses } from './breaker-outcomes.js';
import type { BreakerSettings, WindowShape } from './breaker-settings.js';
import type { BulkheadSettings } from '../bulkhead/bulkhead.js';

/** A policy for marked calls, compiled. */
export interface MarkedRule {
  /** Its name, and what it is: unique among all of them. */
  readonly key: string;
  readonly name: string;
  readonly mark: string;
  readonly breaker: MarkedBreakerRule | undefined;
  readonly bulkhead: BulkheadSettings | undefined;
}

export interface MarkedBreakerRule {
  readonly settings: BreakerSettings;
  readonly failures: FailureStatuses;
  /** Why no marked call is let through at all; undefined while they are. */
  readonly forced: Rejection | undefined;
}

/** Parts of a time window, as resilience4j has one per second; more would only take memory. */
const MAX_BUCKETS = 60;

/** Share of the sleep window that is added at random: java-chassis has no setting for it. */
const JITTER = 0.1;

/** `servicecomb.circuitBreaker.{name}`, compiled. */
export function markedBreakerRule(name: string, values: MarkedBreakerValues, probeTimeoutMs: number): MarkedRule {
  const probes = values.permittedNumberOfCallsInHalfOpenState;
  return {
    key: `circuitBreaker.${name}`,
    name,
    mark: values.match ?? name,
    bulkhead: undefined,
    breaker: {
      failures: new FailureStatuses(values.recordFailureStatus),
      forced: values.forceOpen ? forcedOpen(`mark ${name}`, `servicecomb.circuitBreaker.${name}`) : undefined,
      settings: {
        window: windowOf(values),
        // More calls than a window of calls can hold would never be reached.
        minCalls:
          values.slidingWindowType === 'count'
            ? Math.min(values.minimumNumberOfCalls, countOf(values.slidingWindowSize))
            : values.minimumNumberOfCalls,
        failurePercentage: values.failureRateThreshold,
        slowMs: values.slowCallDurationThreshold,
        slowPercentage: values.slowCallRateThreshold,
        sleepMs: values.waitDurationInOpenState,
        jitter: JITTER,
        probes,
        successes: successesFor(probes, values.failureRateThreshold),
        probeTimeoutMs,
        forceClosed: values.forceClosed,
      },
    },
  };
}

/** `servicecomb.bulkhead.{name}`, compiled. */
export function markedBulkheadRule(name: string, values: MarkedBulkheadValues): MarkedRule {
  const { maxConcurrentCalls, maxWaitDuration } = values;
  return {
    key: `bulkhead.${name}`,
    name,
    mark: values.match ?? name,
    breaker: undefined,
    bulkhead: {
      maxConcurrent: maxConcurrentCalls,
      maxQueue: maxWaitDuration > 0 ? maxConcurrentCalls : 0,
      queueTimeoutMs: maxWaitDuration,
      adaptive: undefined,
      key: `servicecomb.bulkhead.${name}.maxConcurrentCalls`,
    },
  };
}

/** What callers get while a breaker is forced open: it is no state, and so has no time at which to come back. */
export function forcedOpen(who: string, key: string): Rejection {
  return new Rejection('MESH_ERR_BREAKER_OPEN', `The circuit breaker of ${who} is open: ${key}.forceOpen is set`);
}

function windowOf({ slidingWindowType, slidingWindowSize }: MarkedBreakerValues): WindowShape {
  if (slidingWindowType === 'count') return { kind: 'count', size: countOf(slidingWindowSize) };
  const lengthMs = Math.max(1000, parseDuration(slidingWindowSize, 's') ?? 1000);
  return { kind: 'time', lengthMs, buckets: Math.min(MAX_BUCKETS, Math.ceil(lengthMs / 1000)) };
}

/** `100`; of a text with a unit, the number. */
function countOf(size: string): number {
  return Math.max(1, Math.floor(Number.parseFloat(size)));
}

/** The successes that leave fewer failures among all probes than the threshold says. */
function successesFor(probes: number, percentage: number): number {
  const failuresAllowed = Math.max(0, Math.ceil((probes * percentage) / 100) - 1);
  return Math.max(1, probes - failuresAllowed);
}

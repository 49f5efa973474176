import type { CircuitBreakerValues } from '../../config/sections/circuit-breaker.js';
import { CountWindow, TimeWindow, type BreakerWindow } from './breaker-window.js';

/** Over which calls a breaker counts. */
export type WindowShape =
  | { readonly kind: 'time'; readonly lengthMs: number; readonly buckets: number }
  | { readonly kind: 'count'; readonly size: number };

/** When a breaker opens and how it closes again; compiled from the configuration. */
export interface BreakerSettings {
  readonly window: WindowShape;
  /** Calls in the window below which it does not open. */
  readonly minCalls: number;
  /** Percent of failures at which it opens. */
  readonly failurePercentage: number;
  /** Milliseconds beyond which a call is slow; Infinity when none is. */
  readonly slowMs: number;
  /** Percent of slow calls at which it opens. */
  readonly slowPercentage: number;
  readonly sleepMs: number;
  /** Largest share of the sleep window that is added at random, 0 to 1. */
  readonly jitter: number;
  /** Probes under way at once. */
  readonly probes: number;
  /** Successful probes that close it; at most {@link probes}. */
  readonly successes: number;
  /** Milliseconds after which the place of a probe is given away. */
  readonly probeTimeoutMs: number;
  /** Never opens, and lets calls pass even if it is open. */
  readonly forceClosed: boolean;
}

/** What `cse.circuitBreaker` says, compiled. */
export function breakerSettings(values: CircuitBreakerValues): BreakerSettings {
  const slowMs = values.slowCallDurationInMilliseconds;
  return {
    window: { kind: 'time', lengthMs: values.windowInMilliseconds, buckets: values.windowBuckets },
    minCalls: values.requestVolumeThreshold,
    failurePercentage: values.errorThresholdPercentage,
    slowMs: slowMs === 0 ? Infinity : slowMs,
    slowPercentage: values.slowCallThresholdPercentage,
    sleepMs: values.sleepWindowInMilliseconds,
    jitter: values.sleepWindowJitterPercentage / 100,
    probes: values.halfOpenProbes,
    successes: Math.min(values.halfOpenSuccesses, values.halfOpenProbes),
    probeTimeoutMs: values.probeTimeoutInMilliseconds,
    forceClosed: values.forceClosed,
  };
}

export function makeWindow(shape: WindowShape): BreakerWindow {
  return shape.kind === 'time' ? new TimeWindow(shape.lengthMs, shape.buckets) : new CountWindow(shape.size);
}

/** Whether what was counted in a window of one shape can go on in one of the other. */
export function sameWindow(a: WindowShape, b: WindowShape): boolean {
  if (a.kind === 'time') return b.kind === 'time' && a.lengthMs === b.lengthMs && a.buckets === b.buckets;
  return b.kind === 'count' && a.size === b.size;
}

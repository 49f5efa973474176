import type { Outcome } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { resultOf } from './attempt-result.js';

/**
 * A failed attempt counts as one that took at least this long: an instance that refuses everything within a millisecond must not look
 * like the fastest one. A second is long beside usual durations, and is forgotten within a minute.
 */
export const FAILURE_LATENCY_MS = 1000;

/** Least average, so that divisions and ratios stay finite. */
const LEAST_MS = 0.01;

/** The answer that hands a connection over to another protocol (RFC 9110, 15.2.2): its duration is that of a conversation. */
const SWITCHING_PROTOCOLS = 101;

/**
 * Milliseconds for which an attempt at `endpoint` counts, failures with what they cost; undefined when it says nothing. One that was given
 * up says that it would have taken longer still, which is news only when that is more than is known.
 */
export function latencyOf(outcome: Outcome, endpoint: Endpoint): number | undefined {
  const { aborted, durationMs: wholeMs, beganAfterMs, status, superseded } = outcome;
  // How long its client kept silent.
  if (superseded === true) return undefined;
  // A stream may last for hours, however fast the endpoint is.
  const durationMs = beganAfterMs ?? wholeMs;
  if (aborted) return durationMs > endpoint.latencyMs ? durationMs : undefined;
  if (status === SWITCHING_PROTOCOLS) return undefined;
  return Math.max(durationMs, resultOf(outcome) === 'success' ? LEAST_MS : FAILURE_LATENCY_MS);
}

/**
 * Moves the average by exponential decay: what was known `decayMs` ago counts e^-1 of what it did. The weight follows from the time that
 * has passed, not from the number of samples, so that busy and idle endpoints forget alike.
 */
export function learnMean(endpoint: Endpoint, sample: number, now: number, decayMs: number): void {
  const { latencyMs, latencyAt } = endpoint;
  const kept = latencyMs === 0 ? 0 : Math.exp(-Math.max(now - latencyAt, MIN_STEP_MS) / decayMs);
  endpoint.latencyMs = latencyMs * kept + sample * (1 - kept);
  endpoint.latencyAt = now;
}

/** Attempts that end at the same moment count, too. */
const MIN_STEP_MS = 1;

/** Like {@link learnMean}, but a sample above the average is the average from now on: trouble is believed at once, recovery slowly. */
export function learnPeak(endpoint: Endpoint, sample: number, now: number, decayMs: number): void {
  if (sample <= latencyNow(endpoint, now, decayMs)) {
    learnMean(endpoint, sample, now, decayMs);
    return;
  }
  endpoint.latencyMs = sample;
  endpoint.latencyAt = now;
}

/** The average, as it fades while no attempt ends: an endpoint that was slow is tried again some time. */
export function latencyNow({ latencyMs, latencyAt }: Endpoint, now: number, decayMs: number): number {
  return latencyMs * Math.exp(-Math.max(now - latencyAt, 0) / decayMs);
}

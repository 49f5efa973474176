import type { MeshEvents } from '../../telemetry/mesh-events.js';
import type { LabelledCounter, PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { ServiceAttempts } from './service-attempts.js';

/** Why a failed attempt was not repeated although its failure would have been worth it. */
export type SkipReason =
  /** All attempts that the call may have were made. */
  | 'attempts'
  /** The request may have been executed, and its method is not idempotent. */
  | 'method'
  /** The body is not there any more: it was larger than `mesher.proxy.maxReplayBytes`, or is a stream. */
  | 'body'
  /** Another layer of Mesher repeats the call. */
  | 'layer'
  | 'no-endpoint'
  /** The answer asked for a longer wait than `backoff.maxRetryAfterMs`. */
  | 'retry-after'
  /** The wait would have lasted beyond the deadline. */
  | 'deadline'
  | 'budget';

/** An empty budget is news once in this time, in milliseconds: it stays empty for as long as the trouble lasts. */
const REPORT_INTERVAL = 60_000;

/** Tells metrics and events what becomes of failed attempts. */
export class RetryReport {
  readonly #skipped: LabelledCounter;

  constructor(
    private readonly metrics: PolicyMetrics,
    private readonly events: MeshEvents,
  ) {
    this.#skipped = metrics.counter('retriesWithheld');
  }

  skipped(service: string, reason: SkipReason): void {
    this.#skipped.add([service, reason]);
  }

  exhausted(attempts: ServiceAttempts, now: number): void {
    if (now - attempts.exhaustionReportedAt < REPORT_INTERVAL) return;
    attempts.exhaustionReportedAt = now;
    const { percent, minPerSecond } = attempts.budget.options;
    this.events.emit(
      'retry-budget-exhausted',
      attempts.service,
      `Calls of ${attempts.service} are not repeated for now: ${attempts.budget.taken} repetitions in 10 s are as many as ${percent} % of the calls, at least ${minPerSecond} per second, allow`,
      { taken: attempts.budget.taken, percent, minPerSecond },
    );
  }

  /** Reports the budgets of services at each scrape. @param budgets service and the repetitions that it may still have */
  follow(budgets: () => Iterable<readonly [service: string, available: number]>): void {
    this.metrics.gauge('retryBudget', (report) => {
      for (const [service, available] of budgets()) report([service], available);
    });
  }
}

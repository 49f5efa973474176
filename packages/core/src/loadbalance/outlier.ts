import type { Outcome } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { resultOf } from './attempt-result.js';
import type { BalanceReports } from './balance-reports.js';

/** See `cse.loadbalance.outlier`. */
export interface OutlierRules {
  /** 0: never, here and below. */
  readonly consecutive5xx: number;
  readonly consecutiveGatewayErrors: number;
  readonly successRate: { readonly minHosts: number; readonly minRequests: number; readonly stdevFactor: number };
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectionPercent: number;
}

export type EjectionReason = 'consecutive-5xx' | 'consecutive-gateway-errors' | 'success-rate';

/**
 * Ejects endpoints of one service for a while because of their answers. Errors in a row eject at once; success rates are compared, and ejected
 * endpoints return, in {@link sweep}.
 */
export class OutlierDetector {
  /** Monotonic milliseconds of the next {@link sweep}. */
  sweepAt: number;
  readonly #ejected = new Set<Endpoint>();

  /** @param endpoints those of the service; some may be ejected already, under earlier rules */
  constructor(
    private readonly service: string,
    readonly rules: OutlierRules,
    private readonly endpoints: () => ReadonlyMap<string, Endpoint>,
    private readonly reports: BalanceReports,
    now: number,
  ) {
    this.sweepAt = now + rules.intervalMs;
    for (const endpoint of endpoints().values()) if (endpoint.ejectedUntil !== 0) this.#ejected.add(endpoint);
  }

  /** Takes account of an attempt that ended. */
  observe(endpoint: Endpoint, outcome: Outcome, now: number): void {
    const result = resultOf(outcome);
    // An ejected endpoint gets calls in a panic, or those that were under way: they do not make it longer.
    if (result === 'nothing' || endpoint.ejectedUntil !== 0 || endpoint.retired) return;
    endpoint.intervalAttempts++;
    if (result === 'success') {
      endpoint.intervalSuccesses++;
      endpoint.serverErrorsInARow = 0;
      endpoint.gatewayErrorsInARow = 0;
      return;
    }
    const { consecutive5xx, consecutiveGatewayErrors } = this.rules;
    const gatewayErrors =
      result === 'gateway-error' ? ++endpoint.gatewayErrorsInARow : (endpoint.gatewayErrorsInARow = 0);
    const serverErrors = ++endpoint.serverErrorsInARow;
    if (consecutiveGatewayErrors > 0 && gatewayErrors >= consecutiveGatewayErrors) {
      this.#eject(endpoint, 'consecutive-gateway-errors', now);
    } else if (consecutive5xx > 0 && serverErrors >= consecutive5xx) this.#eject(endpoint, 'consecutive-5xx', now);
  }

  /** Lets endpoints return whose time is over, and compares the success rates of the others. */
  sweep(now: number): void {
    this.sweepAt = now + this.rules.intervalMs;
    for (const endpoint of this.#ejected) if (now >= endpoint.ejectedUntil) this.#release(endpoint);
    if (this.rules.successRate.stdevFactor > 0) this.#compare(now);
    for (const endpoint of this.endpoints().values()) {
      endpoint.intervalAttempts = 0;
      endpoint.intervalSuccesses = 0;
      // Who behaves is forgiven step by step.
      if (endpoint.ejectedUntil === 0 && endpoint.ejections > 0 && now >= endpoint.returnedAt + this.rules.intervalMs) {
        endpoint.ejections--;
      }
    }
  }

  /** The endpoint has left the service. */
  forget(endpoint: Endpoint): void {
    this.#ejected.delete(endpoint);
  }

  /** Lets all return: nothing is ejected any more. */
  releaseAll(): void {
    for (const endpoint of this.#ejected) this.#release(endpoint);
  }

  #compare(now: number): void {
    const { minHosts, minRequests, stdevFactor } = this.rules.successRate;
    const judged = [...this.endpoints().values()].filter(
      ({ ejectedUntil, intervalAttempts }) => ejectedUntil === 0 && intervalAttempts >= minRequests,
    );
    if (judged.length < minHosts) return;
    const rates = judged.map(({ intervalSuccesses, intervalAttempts }) => intervalSuccesses / intervalAttempts);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
    const bound = mean - stdevFactor * Math.sqrt(variance);
    judged.forEach((endpoint, index) => {
      if ((rates[index] as number) < bound) this.#eject(endpoint, 'success-rate', now);
    });
  }

  #eject(endpoint: Endpoint, reason: EjectionReason, now: number): void {
    endpoint.serverErrorsInARow = 0;
    endpoint.gatewayErrorsInARow = 0;
    if (!this.#hasRoom()) return;
    const { baseEjectionMs, maxEjectionMs } = this.rules;
    endpoint.ejections++;
    const lasts = Math.min(baseEjectionMs * endpoint.ejections, maxEjectionMs);
    endpoint.ejectedUntil = now + lasts;
    this.#ejected.add(endpoint);
    endpoint.bar('ejected');
    this.reports.ejected(this.service, endpoint.key, reason, lasts);
  }

  #hasRoom(): boolean {
    const { maxEjectionPercent } = this.rules;
    if (maxEjectionPercent === 0) return false;
    return this.#ejected.size < Math.max(1, Math.floor((this.endpoints().size * maxEjectionPercent) / 100));
  }

  #release(endpoint: Endpoint): void {
    this.#ejected.delete(endpoint);
    endpoint.returnedAt = endpoint.ejectedUntil;
    endpoint.ejectedUntil = 0;
    endpoint.intervalAttempts = 0;
    endpoint.intervalSuccesses = 0;
    endpoint.lift('ejected');
    this.reports.returned(this.service, endpoint.key);
  }
}

import type { HealthChecker, HealthResult, LocalHealthCheckConfig, LocalTarget } from '@mesher/core';

/** A checker whose results a test decides. */
export class ScriptedChecker implements HealthChecker {
  /** What was asked for, in order. */
  readonly asked: LocalTarget[] = [];
  readonly signals: AbortSignal[] = [];
  /** What it answers at once; undefined to stay silent. */
  answer: HealthResult | Error | undefined = { healthy: true, detail: 'well' };
  readonly #silent: ((result: HealthResult) => void)[] = [];

  /** Answers every check that is still waiting. */
  speak(result: HealthResult): void {
    for (const resolve of this.#silent.splice(0)) resolve(result);
  }

  check(target: LocalTarget, signal: AbortSignal): Promise<HealthResult> {
    this.asked.push(target);
    this.signals.push(signal);
    if (this.answer instanceof Error) return Promise.reject(this.answer);
    if (this.answer !== undefined) return Promise.resolve(this.answer);
    return new Promise((resolve) => this.#silent.push(resolve));
  }
}

/** The settings of one check, with the defaults of the configuration but without jitter. */
export function checkConfig(facts: Partial<LocalHealthCheckConfig> = {}): LocalHealthCheckConfig {
  return {
    port: 8080,
    protocol: 'rest',
    uri: undefined,
    interval: 10_000,
    jitter: 0,
    timeout: undefined,
    unhealthyThreshold: 2,
    healthyThreshold: 1,
    confirmInterval: undefined,
    match: { status: undefined, body: undefined, maxBody: 65_536 },
    ...facts,
  };
}

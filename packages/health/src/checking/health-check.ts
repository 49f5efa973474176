import {
  compilePattern,
  healthCheckTimes,
  type HealthChecker,
  type HealthResult,
  type LocalHealthCheckConfig,
  type LocalTarget,
  type Ports,
  type TimerHandle,
} from '@mesher/core';
import { oneLine } from './read-result.js';
import { prepareChecker, runCheck } from './run-check.js';
import { judge, UNKNOWN, type HealthState, type Standing } from './thresholds.js';

/**
 * First wait of a check that has never passed, doubled up to the interval: an application that starts after its sidecar is to be found
 * when it is there, not half a minute later.
 */
const STARTING_WAIT_MS = 500;
/** Loading a library takes a fraction of a second; on a machine that does nothing but start programs, several. */
const PREPARE_LIMIT_MS = 10_000;

const UNENDED: HealthResult = { healthy: false, detail: 'the check before has not ended yet' };

/** What one check has found out. */
export interface CheckView {
  /** Protocol, port and path. */
  readonly name: string;
  readonly state: HealthState;
  /** What the latest check saw. */
  readonly detail: string;
  readonly passed: number;
  readonly failed: number;
  readonly lastDurationMs: number | undefined;
  /** Wall-clock milliseconds of the latest result. */
  readonly lastAt: number | undefined;
}

/** Checks one port again and again, from the moment at which it is made until it is closed. */
export class HealthCheck {
  #standing: Standing = UNKNOWN;
  #detail = 'not checked yet';
  #passed = 0;
  #failed = 0;
  #lastDurationMs: number | undefined;
  #lastAt: number | undefined;
  #startingWaitMs = STARTING_WAIT_MS;
  #unended = false;
  #isPrepared: boolean;
  #timer: TimerHandle | undefined;
  readonly #stop = new AbortController();
  readonly #target: Omit<LocalTarget, 'host'>;
  readonly #times: { readonly timeoutMs: number; readonly confirmMs: number };

  /** @param onResult told after each result, whether it changes anything or not */
  constructor(
    readonly name: string,
    private readonly config: LocalHealthCheckConfig,
    private readonly checker: HealthChecker,
    private readonly ports: Ports,
    private readonly onResult: () => void,
  ) {
    const { port, uri, match } = config;
    const body = match.body === undefined ? undefined : compilePattern(match.body);
    this.#target = { port, uri, match: { status: match.status, body, maxBody: match.maxBody } };
    this.#times = healthCheckTimes(config);
    this.#isPrepared = checker.prepare === undefined;
    void this.#run();
  }

  get view(): CheckView {
    return {
      name: this.name,
      state: this.#standing.state,
      detail: this.#detail,
      passed: this.#passed,
      failed: this.#failed,
      lastDurationMs: this.#lastDurationMs,
      lastAt: this.#lastAt,
    };
  }

  close(): void {
    this.#timer?.cancel();
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const problem = this.#isPrepared ? undefined : await this.#prepare();
    if (this.#stop.signal.aborted) return;
    const startedAt = this.ports.clock.now();
    const result = problem ?? (await this.#ask());
    if (this.#stop.signal.aborted) return;
    this.#lastDurationMs = this.ports.clock.now() - startedAt;
    this.#lastAt = this.ports.clock.wallTime();
    this.#detail = oneLine(result.detail);
    if (result.healthy) this.#passed++;
    else this.#failed++;
    this.#standing = judge(this.#standing, result.healthy, this.config);
    this.#timer = this.ports.timers.after(Math.max(0, this.#waitMs() - this.#lastDurationMs), () => void this.#run());
    this.onResult();
  }

  /** @returns why the checker cannot be asked */
  async #prepare(): Promise<HealthResult | undefined> {
    if (this.#unended) return UNENDED;
    this.#unended = true;
    const problem = await prepareChecker(this.checker, PREPARE_LIMIT_MS, this.ports, this.#stop.signal, this.#ended);
    this.#isPrepared = problem === undefined;
    return problem;
  }

  #ask(): Promise<HealthResult> {
    // One that does not heed its signal would pile up.
    if (this.#unended) return Promise.resolve(UNENDED);
    this.#unended = true;
    return runCheck(this.checker, this.#target, this.#times.timeoutMs, this.ports, this.#stop.signal, this.#ended);
  }

  readonly #ended = (): void => {
    this.#unended = false;
  };

  /** From the beginning of this check to that of the next one. Never later than the interval, so that a change is found in time. */
  #waitMs(): number {
    const { interval, jitter } = this.config;
    const usual = interval * (1 - jitter * this.ports.random.next());
    if (this.#standing.contrary > 0) return this.#times.confirmMs;
    if (this.#passed > 0) return usual;
    const wait = Math.min(usual, this.#startingWaitMs);
    this.#startingWaitMs *= 2;
    return wait;
  }
}

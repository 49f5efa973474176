import type { HealthChecker, LocalHealthCheckConfig, Logger, Ports } from '@mesher/core';
import { HealthCheck, type CheckView } from './health-check.js';
import type { HealthState } from './thresholds.js';

/** The checker that stands in for one that nobody has, and for a protocol that is left out. */
const FALLBACK = 'tcp';
/** Other words for a protocol. */
const ALIASES: Readonly<Record<string, string>> = { http: 'rest' };
/** Checkers that look at nothing but the connection, or at one thing: what else a check sets has no effect. */
const IGNORES: Readonly<Record<string, readonly string[]>> = {
  tcp: ['uri', 'match'],
  grpc: ['match'],
};

/** Where checkers are found by name. */
export interface CheckerSource {
  find(name: string): HealthChecker | undefined;
  names(): readonly string[];
}

export interface LocalHealthParts {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly checkers: CheckerSource;
  /** Told whenever the state of all checks together changes. */
  readonly onChange: (state: HealthState) => void;
}

/** What all checks of the local application say together. */
export interface LocalHealthView {
  readonly state: HealthState;
  /** Which checks fail and what they saw; empty unless the state is `down`. */
  readonly reasons: readonly string[];
  readonly changes: Readonly<Record<'up' | 'down', number>>;
  readonly checks: readonly CheckView[];
}

/**
 * All checks of the local application, combined into one state: `down` while one of them says so, `up` when all do. While one has no
 * result yet the state stays what it was, so that a reload takes no healthy instance out and puts no sick one back.
 */
export class LocalHealth {
  readonly #checks = new Map<string, HealthCheck>();
  #state: HealthState = 'unknown';
  readonly #changes = { up: 0, down: 0 };
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly parts: LocalHealthParts) {}

  /** True when there is anything to check. Without it the state is `up`. */
  get isConfigured(): boolean {
    return this.#checks.size > 0;
  }

  get state(): HealthState {
    return this.#state;
  }

  get view(): LocalHealthView {
    const checks = Array.from(this.#checks.values(), ({ view }) => view);
    const reasons = checks.filter(({ state }) => state === 'down').map(({ name, detail }) => `${name}: ${detail}`);
    return { state: this.#state, reasons, changes: { ...this.#changes }, checks };
  }

  /** Resolves when there is a state, at once when there is nothing to check. */
  whenKnown(): Promise<void> {
    if (!this.isConfigured || this.#state !== 'unknown') return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Checks that are new begin at once, those that are gone end, and those that did not change go on. */
  configure(configs: readonly LocalHealthCheckConfig[]): void {
    const wanted = new Map<string, LocalHealthCheckConfig>();
    for (const config of configs) wanted.set(JSON.stringify(config), config);
    for (const [key, check] of this.#checks) {
      if (wanted.has(key)) continue;
      check.close();
      this.#checks.delete(key);
    }
    for (const [key, config] of wanted) {
      if (!this.#checks.has(key)) this.#checks.set(key, this.#begin(config));
    }
    this.#combine();
  }

  close(): void {
    for (const check of this.#checks.values()) check.close();
    this.#checks.clear();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #begin(config: LocalHealthCheckConfig): HealthCheck {
    const { ports, logger, checkers } = this.parts;
    const asked = config.protocol ?? FALLBACK;
    const usual = asked.toLowerCase();
    const names = [asked, usual, ALIASES[usual] ?? usual];
    const found = names.find((name) => checkers.find(name) !== undefined);
    const protocol = found ?? FALLBACK;
    const name = this.#freeName(`${protocol}:${config.port}${protocol === FALLBACK ? '' : (config.uri ?? '')}`);
    if (found === undefined) {
      const known = checkers.names().join(', ');
      logger.warn(
        { check: name },
        `localHealthCheck: there is no protocol '${asked}' (known are ${known}), so only a TCP connection to port ${config.port} is tried`,
      );
    }
    const ignored = (IGNORES[protocol] ?? []).filter((key) => isSet(config, key));
    if (ignored.length > 0) {
      logger.warn(
        { check: name },
        `localHealthCheck: ${ignored.join(' and ')} ${ignored.length > 1 ? 'have' : 'has'} no effect with protocol ${protocol}`,
      );
    }
    return new HealthCheck(name, config, checkers.find(protocol) ?? NO_CHECKER, ports, () => this.#combine());
  }

  /** Two checks of the same port, with different settings, are told apart in metrics. */
  #freeName(name: string): string {
    const taken = new Set(Array.from(this.#checks.values(), (check) => check.name));
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name}#${number}`;
    return free;
  }

  #combine(): void {
    const states = Array.from(this.#checks.values(), ({ view }) => view.state);
    let next: HealthState = this.#state;
    if (states.includes('down')) next = 'down';
    // Where nothing is checked, nothing speaks against the application.
    else if (!states.includes('unknown')) next = 'up';
    if (next === this.#state || next === 'unknown') return;
    this.#state = next;
    this.#changes[next]++;
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.parts.onChange(next);
  }
}

const NO_CHECKER: HealthChecker = {
  check: () => Promise.resolve({ healthy: false, detail: 'this program has no health checkers at all' }),
};

function isSet({ uri, match }: LocalHealthCheckConfig, key: string): boolean {
  return key === 'uri' ? uri !== undefined : match.status !== undefined || match.body !== undefined;
}

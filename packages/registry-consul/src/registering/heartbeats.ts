import { Alarm, backoff, type Logger, type Ports, type RegistryEventCounter, type RetryPauses } from '@mesher/core';
import { codeOf } from '../client/consul-error.js';
import type { Registration } from './registration.js';

export interface HeartbeatSettings {
  /** Between two heartbeats, in milliseconds. */
  readonly intervalMs: number;
  readonly pauses: RetryPauses;
}

/**
 * Keeps one registration alive until it is released. The phase is random, and heartbeats come up to a fifth early. Trouble on the way
 * there is no reason to register again: only the agent's word that it has lost the instance is.
 */
export class Heartbeats {
  readonly #alarm = new Alarm();

  constructor(
    private readonly registration: Registration,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly counter: RegistryEventCounter,
    private readonly settings: HeartbeatSettings,
  ) {}

  /** Sends a heartbeat now instead of at the next turn. */
  hurry(): void {
    this.#alarm.ring();
  }

  /** Resolves when the registration was released. */
  async run(): Promise<void> {
    const { intervalMs, pauses } = this.settings;
    const { registration, ports, logger } = this;
    const { ended } = registration;
    // The first one anywhere within the interval, so that instances that began together do not beat together.
    let wait = intervalMs * ports.random.next();
    let failures = 0;
    while (!ended.aborted) {
      await this.#alarm.sleep(ports, wait, ended);
      if (ended.aborted) return;
      try {
        await registration.beat();
        failures = 0;
        wait = this.#interval();
      } catch (error) {
        failures++;
        this.counter.add('heartbeat-failed');
        const report = failures === 1 ? logger.warn : logger.debug;
        report.call(logger, { error }, 'a heartbeat did not reach Consul; it is sent again');
        // What is refused stays refused for a while; what was lost on the way is sent again while the lease runs.
        const isDenied = codeOf(error) === 'CONSUL_DENIED';
        wait = isDenied ? this.#interval() : Math.min(backoff(ports, failures, pauses), intervalMs);
      }
    }
  }

  #interval(): number {
    return this.settings.intervalMs * (0.8 + 0.2 * this.ports.random.next());
  }
}

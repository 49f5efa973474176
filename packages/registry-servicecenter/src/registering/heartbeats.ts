import {
  Alarm,
  backoff,
  type Logger,
  pause,
  type Ports,
  type RegistryEvent,
  type RetryPauses,
  type TimerHandle,
  watchForSuspend,
} from '@mesher/core';
import { SC_CODE } from '../client/error-codes.js';
import type { ServiceCenter } from '../client/service-center.js';
import { errorCodeOf } from '../client/service-center-error.js';
import type { Registration } from './registration.js';

export interface HeartbeatSettings {
  /** Between two heartbeats, in milliseconds. */
  readonly intervalMs: number;
  readonly pauses: RetryPauses;
  /** Counts what happens. */
  readonly onEvent: (event: RegistryEvent) => void;
}

/**
 * Keeps registrations alive by requests: one for a single instance, one for all of several. The phase is random, and heartbeats come
 * up to a fifth early. Trouble on the way there is no reason to register again: only service-center's word that it has lost an instance
 * is.
 */
export class Heartbeats {
  readonly #alarm = new Alarm();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;
  #lastError: unknown;
  #hurrying: TimerHandle | undefined;
  #suspendWatch: TimerHandle | undefined;

  /**
   * @param due the registrations to keep alive by requests at this moment
   */
  constructor(
    private readonly center: ServiceCenter,
    private readonly due: () => readonly Registration[],
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly settings: HeartbeatSettings,
  ) {}

  /** What was wrong with the last heartbeat; undefined when it worked. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Begins, unless it has begun. */
  start(): void {
    this.#running ??= this.#run();
    // Leases ran out while the machine slept, and the next heartbeat is due as if it had not.
    this.#suspendWatch ??= watchForSuspend(this.ports, () => this.hurry());
  }

  /**
   * Sends heartbeats now: there is reason to think that an instance is lost, or its WebSocket is.
   * @param withinMs at some time within so many milliseconds, and half an interval: for reasons that many have in one moment
   */
  hurry(withinMs = 0): void {
    if (withinMs === 0) {
      this.#alarm.ring();
      return;
    }
    const { random, timers } = this.ports;
    this.#hurrying?.cancel();
    const wait = Math.min(withinMs, this.settings.intervalMs / 2) * random.next();
    this.#hurrying = timers.after(wait, () => this.#alarm.ring());
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#hurrying?.cancel();
    this.#suspendWatch?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const { intervalMs, pauses, onEvent } = this.settings;
    const { clock } = this.ports;
    // The first one anywhere within the interval, so that instances that began together do not beat together.
    let wait = intervalMs * this.ports.random.next();
    let failures = 0;
    let lastAt = -Infinity;
    while (!signal.aborted) {
      const dueAt = clock.now() + wait;
      await this.#alarm.sleep(this.ports, wait, signal);
      const gap = lastAt + pauses.minRetryDelay - clock.now();
      // A server that always says that it knows nobody must not be asked as fast as it answers.
      if (clock.now() < dueAt && gap > 0) await pause(this.ports, gap, signal);
      if (signal.aborted) return;
      lastAt = clock.now();
      try {
        await this.#beat(signal);
        this.#lastError = undefined;
        failures = 0;
        wait = intervalMs * (0.8 + 0.2 * this.ports.random.next());
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = error;
        failures++;
        onEvent('heartbeat-failed');
        const report = failures === 1 ? this.logger.warn : this.logger.debug;
        report.call(this.logger, { error }, 'a heartbeat did not reach service-center; it is sent again');
        wait = Math.min(backoff(this.ports, failures, pauses), intervalMs);
      }
    }
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const registrations = this.due().filter(({ key }) => key !== undefined);
    const [only, another] = registrations;
    if (only === undefined) return;
    const lost = another === undefined ? await this.#beatOne(only, signal) : await this.#beatAll(registrations, signal);
    // Each on its own time: one that waits must not keep the others from their heartbeats.
    for (const registration of lost) void registration.registerAgain();
    for (const registration of registrations) if (!lost.includes(registration)) await registration.tellStatus();
  }

  async #beatOne(registration: Registration, signal: AbortSignal): Promise<readonly Registration[]> {
    const { key } = registration;
    if (key === undefined) return [];
    try {
      await this.center.heartbeat(key, signal);
      return [];
    } catch (error) {
      const code = errorCodeOf(error);
      if (registration.ended.aborted) return [];
      if (code !== SC_CODE.instanceNotExist && code !== SC_CODE.serviceNotExist) throw error;
      return [registration];
    }
  }

  async #beatAll(registrations: readonly Registration[], signal: AbortSignal): Promise<readonly Registration[]> {
    const keys = registrations.flatMap(({ key }) => key ?? []);
    // 1.x refuses the whole batch when it has lost one of them, without saying which.
    const failed = await this.center.heartbeats(keys, signal).catch((error: unknown) => {
      if (errorCodeOf(error) !== SC_CODE.instanceNotExist) throw error;
      return new Set(keys.map(({ instanceId }) => instanceId));
    });
    const lost: Registration[] = [];
    // The batch says that a heartbeat failed, in words; the code that tells why comes with the single one.
    for (const registration of registrations) {
      if (failed.has(registration.instanceId)) lost.push(...(await this.#beatOne(registration, signal)));
    }
    return lost;
  }
}

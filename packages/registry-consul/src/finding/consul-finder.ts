import {
  Alarm,
  findRefusing,
  jittered,
  ProblemList,
  watchForSuspend,
  type Logger,
  type Ports,
  type RegistryEventCounter,
  type RegistryState,
  type TimerHandle,
  type VanishRules,
} from '@mesher/core';
import type { Indexed } from '../client/blocking-answer.js';
import { followQuery, type QueryPauses } from '../client/blocking-query.js';
import type { ConsulClient } from '../client/consul-client.js';
import { codeOf, messageOf } from '../client/consul-error.js';
import type { ReadingRules } from '../instances/read-entries.js';
import { WatchedService } from './watched-service.js';
import { WatchSlots } from './watch-slots.js';

export interface FinderSettings extends VanishRules, Omit<ReadingRules, 'service'> {
  readonly near: string | undefined;
  /** How long Consul is asked to hold back an answer. */
  readonly waitMs: number;
  /** Shortest time between two questions for one service. */
  readonly minIntervalMs: number;
  /** Time between two questions for a service of which no answer is held back. */
  readonly refreshIntervalMs: number;
  readonly maxWatches: number;
  /** Between two looks at instances that are kept although they are not listed. */
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly pauses: QueryPauses;
}

/** Follows every service that somebody watches by blocking queries of its own. After trouble everything stays as it is. */
export class ConsulFinder {
  readonly #wanted = new Map<string, WatchedService>();
  readonly #running = new Set<Promise<void>>();
  readonly #troubles = new Map<WatchedService, string>();
  readonly #denied = new Map<WatchedService, string>();
  readonly #problems = new ProblemList();
  readonly #probeAlarm = new Alarm();
  readonly #end = new AbortController();
  readonly #slots: WatchSlots<WatchedService>;
  #isProbing = false;
  #suspendWatch: TimerHandle | undefined;
  #lastSuccessAt: number | undefined;

  constructor(
    private readonly client: ConsulClient,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly settings: FinderSettings,
    private readonly counter: RegistryEventCounter,
  ) {
    this.#slots = new WatchSlots(settings.maxWatches);
  }

  /** @returns the service, to be given back with {@link leave} */
  want(name: string): WatchedService {
    const present = this.#wanted.get(name);
    const wanted = present ?? new WatchedService(name, this.settings);
    wanted.watchers++;
    if (present === undefined) {
      this.#wanted.set(name, wanted);
      this.#run(this.#follow(wanted));
      if (!this.#isProbing) this.#run(this.#probe());
      this.#isProbing = true;
      // Connections do not survive the sleep of a machine, and nobody says so.
      this.#suspendWatch ??= watchForSuspend(this.ports, () => this.#askAnew());
    }
    return wanted;
  }

  leave(wanted: WatchedService): void {
    if (--wanted.watchers > 0) return;
    if (this.#wanted.get(wanted.name) === wanted) this.#wanted.delete(wanted.name);
    wanted.end();
    this.#slots.free(wanted);
    this.#troubles.delete(wanted);
    this.#denied.delete(wanted);
  }

  state(): RegistryState {
    // That one service is hidden does not make what is known of others old.
    const isAllDenied = this.#denied.size > 0 && this.#denied.size === this.#wanted.size;
    const [lastError] = [...(isAllDenied ? this.#denied.values() : []), ...this.#troubles.values()].slice(-1);
    const isKnown = this.#lastSuccessAt !== undefined;
    return {
      freshness: !isKnown ? 'never' : lastError === undefined ? 'fresh' : 'stale',
      lastSuccessAt: this.#lastSuccessAt,
      lastError,
      problems: [...new Set(this.#denied.values()), ...this.#problems.all],
      counts: this.counter.counts,
    };
  }

  /** Consul answered, perhaps somebody else: good to know when nothing was asked for yet. */
  answered(): void {
    this.#lastSuccessAt = this.ports.clock.wallTime();
  }

  readonly addProblem = (problem: string): void => {
    this.#problems.add(problem);
    this.counter.add('answer-rejected');
  };

  async close(): Promise<void> {
    this.#end.abort();
    this.#suspendWatch?.cancel();
    for (const wanted of this.#wanted.values()) wanted.end();
    await Promise.all(this.#running);
  }

  #askAnew(): void {
    for (const wanted of this.#wanted.values()) wanted.askAnew();
  }

  #run(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #follow(wanted: WatchedService): Promise<void> {
    const { near, waitMs, minIntervalMs, refreshIntervalMs, pauses } = this.settings;
    await followQuery<unknown>(
      {
        ask: (question) => this.client.healthOf(wanted.name, question, near, wanted.question),
        isOutdated: (error) => wanted.isOutdated(error),
        take: (answer) => this.#take(wanted, answer),
        onTrouble: (error, failures) => this.#failed(wanted, error, failures),
        pace: () =>
          this.#slots.take(wanted)
            ? { waitMs, intervalMs: minIntervalMs }
            : { waitMs: 0, intervalMs: refreshIntervalMs },
      },
      this.ports,
      pauses,
      wanted.ended,
    );
  }

  async #take(wanted: WatchedService, answer: Indexed<unknown>): Promise<void> {
    const unsure = await wanted.take(answer, this.ports.clock.now(), this.addProblem);
    if (this.#troubles.delete(wanted)) this.counter.add('reconnected');
    this.#denied.delete(wanted);
    this.answered();
    if (unsure.length === 0) return;
    this.counter.add('empty-suppressed');
    const message =
      'Consul lists instances no longer, or has not heard of them; they are kept while they accept connections';
    this.logger.warn({ service: wanted.name, instances: unsure.length }, message);
    this.#probeAlarm.ring();
  }

  #failed(wanted: WatchedService, error: unknown, failures: number): void {
    const code = codeOf(error);
    wanted.troubled(this.ports.clock.now());
    this.counter.add(code === 'CONSUL_ANSWER' ? 'answer-rejected' : 'ask-failed');
    const report = failures === 1 ? this.logger.warn : this.logger.debug;
    if (code === 'CONSUL_DENIED' && this.#lastSuccessAt !== undefined) {
      this.#troubles.delete(wanted);
      this.#denied.set(wanted, messageOf(error));
    } else {
      this.#troubles.delete(wanted);
      this.#troubles.set(wanted, messageOf(error));
    }
    const message = 'Consul cannot be asked about a service; the last good state stays in use';
    report.call(this.logger, { service: wanted.name, error }, message);
  }

  /** Looks at instances that are kept: at once, and then again and again. */
  async #probe(): Promise<void> {
    const { signal } = this.#end;
    const { probeIntervalMs, probeTimeoutMs } = this.settings;
    const { clock, timers } = this.ports;
    while (!signal.aborted) {
      const holding = [...this.#wanted.values()].filter(({ held }) => held.length > 0);
      for (const wanted of holding) {
        const refusing = await findRefusing(wanted.held, probeTimeoutMs, timers);
        if (signal.aborted) return;
        wanted.giveUp(refusing, clock.now());
      }
      const wait = holding.length === 0 ? undefined : jittered(this.ports, probeIntervalMs);
      await this.#probeAlarm.sleep(this.ports, wait, signal);
    }
  }
}

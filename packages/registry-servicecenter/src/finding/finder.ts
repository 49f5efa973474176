import {
  Alarm,
  backoff,
  findRefusing,
  jittered,
  type Logger,
  type Ports,
  ProblemList,
  type RegistryEventCounter,
  type RegistryState,
  type RetryPauses,
  type TimerHandle,
  type VanishRules,
  watchForSuspend,
} from '@mesher/core';
import { isUnknownService, SC_CODE } from '../client/error-codes.js';
import type { OwnIdentity } from '../client/own-identity.js';
import type { FindItem, FindResult } from '../client/answers.js';
import { askFor } from './ask-for.js';
import type { ServiceCenter } from '../client/service-center.js';
import { messageOf } from '../client/service-center-error.js';
import type { AppCatalog } from './app-catalog.js';
import type { ServiceTags } from './service-tags.js';
import type { KnownService } from './known-service.js';
import { readInSlices } from './read-in-slices.js';
import { WantedService } from './wanted-service.js';

export interface FinderSettings extends VanishRules {
  readonly app: string;
  readonly environment: string;
  readonly refreshIntervalMs: number;
  /** Between two questions for everything, whatever the revision is. */
  readonly fullRefreshMs: number;
  readonly batchSize: number;
  /** After a hint, how long others that come with it are waited for; also spreads the clients that got the same hint. */
  readonly hintDelayMs: number;
  /** Between two looks at instances that are kept although they are not listed. */
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly pauses: RetryPauses;
  /** Tags of service versions, for their instances; left out when nobody wants them. */
  readonly tags?: ServiceTags | undefined;
}

/** Callers make up names of any length. */
const MAX_SHOWN_NAME = 128;

interface Question {
  readonly wanted: WantedService;
  readonly part: KnownService;
}

/**
 * Asks service-center for all services that somebody watches, in batches with revisions: at once for a new one and after hints, and for
 * all of them at intervals. After trouble everything stays as it is, and is asked for again with growing pauses.
 */
export class Finder {
  readonly #wanted = new Map<string, WantedService>();
  readonly #alarm = new Alarm();
  readonly #probeAlarm = new Alarm();
  readonly #end = new AbortController();
  readonly #problems = new ProblemList();
  #running: Promise<unknown> | undefined;
  #suspendWatch: TimerHandle | undefined;
  #allDue = false;
  #lastSuccessAt: number | undefined;
  #lastError: string | undefined;

  /** @param catalog knows in which applications a service is; undefined when only the own one counts */
  constructor(
    private readonly center: ServiceCenter,
    private readonly identity: OwnIdentity,
    private readonly catalog: AppCatalog | undefined,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly counter: RegistryEventCounter,
    private readonly settings: FinderSettings,
  ) {
    // Asking as somebody makes service-center tell that somebody of changes: all has to be asked for anew.
    identity.onChange(() => this.refreshAll());
  }

  /** @returns the service, to be given back with {@link leave} */
  want(name: string): WantedService {
    const { app } = this.settings;
    const wanted = this.#wanted.get(name) ?? new WantedService(name, app, this.settings);
    wanted.watchers++;
    if (!this.#wanted.has(name)) {
      this.#wanted.set(name, wanted);
      if (this.catalog !== undefined) wanted.lookIn(this.catalog.appsOf(wanted.serviceName));
      this.#running ??= Promise.all([this.#run(), this.#probe()]);
      this.#suspendWatch ??= watchForSuspend(this.ports, () => this.refreshAll());
      this.#alarm.ring();
    }
    return wanted;
  }

  leave(wanted: WantedService): void {
    if (--wanted.watchers === 0 && this.#wanted.get(wanted.name) === wanted) this.#wanted.delete(wanted.name);
  }

  /** Asks for everything soon: events may have been missed. */
  refreshAll(): void {
    this.#allDue = true;
    this.#alarm.ring();
  }

  /** An event says that something changed there, and perhaps with which instance. */
  hint(app: string, serviceName: string, instance?: { readonly id: string; readonly isGone: boolean }): void {
    for (const wanted of this.#wanted.values()) {
      const part = wanted.serviceName === serviceName ? wanted.part(app) : undefined;
      if (part === undefined) continue;
      if (instance !== undefined) part.said(instance.id, instance.isGone);
      wanted.isDue = true;
      this.#alarm.ring();
    }
  }

  state(): RegistryState {
    const isKnown = this.#lastSuccessAt !== undefined;
    return {
      freshness: !isKnown ? 'never' : this.#lastError === undefined ? 'fresh' : 'stale',
      lastSuccessAt: this.#lastSuccessAt,
      lastError: this.#lastError,
      problems: this.#problems.all,
      counts: this.counter.counts,
    };
  }

  /** Service-center answered, perhaps somebody else: good to know when nothing was asked for yet. */
  answered(): void {
    if (this.#wanted.size === 0) this.#lastError = undefined;
    this.#lastSuccessAt = this.ports.clock.wallTime();
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#suspendWatch?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    const { clock, random } = this.ports;
    const { refreshIntervalMs, fullRefreshMs, hintDelayMs, pauses } = this.settings;
    let nextAllAt = clock.now() + jittered(this.ports, refreshIntervalMs);
    let nextFullAt = clock.now() + fullRefreshMs;
    let failures = 0;
    while (!signal.aborted) {
      // What is new has nobody's patience yet; hints may wait for each other.
      const isNew = [...this.#wanted.values()].some((one) => one.isDue && one.snapshot(undefined) === undefined);
      const wait = isNew ? 0 : hintDelayMs * random.next();
      await new Alarm().sleep(this.ports, wait, signal);
      if (signal.aborted) return;
      const isAll = this.#allDue || clock.now() >= nextAllAt;
      const isFull = clock.now() >= nextFullAt;
      this.#allDue = false;
      try {
        const isAnswered = await this.#round(isAll || isFull, isFull, signal);
        failures = 0;
        if (isAnswered) this.#lastError = undefined;
        if (isAnswered) this.answered();
      } catch (error) {
        if (signal.aborted) return;
        this.#lastError = messageOf(error);
        this.#allDue ||= isAll;
        failures++;
        this.counter.add('ask-failed');
        const report = failures === 1 ? this.logger.warn : this.logger.debug;
        report.call(this.logger, { error }, 'service-center cannot be asked; the last good state stays in use');
        await new Alarm().sleep(this.ports, backoff(this.ports, failures, pauses), signal);
        continue;
      }
      if (isAll) nextAllAt = clock.now() + jittered(this.ports, refreshIntervalMs);
      if (isFull) nextFullAt = clock.now() + fullRefreshMs;
      await this.#alarm.sleep(this.ports, Math.max(0, nextAllAt - clock.now()), signal);
    }
  }

  /**
   * @param isFull asks without revisions
   * @returns whether there was anything to ask for
   */
  async #round(isAll: boolean, isFull: boolean, signal: AbortSignal): Promise<boolean> {
    const asked = [...this.#wanted.values()].filter(({ isDue }) => isAll || isDue);
    if (asked.length === 0) return false;
    // A hint that comes while the answer is under way asks once more.
    for (const wanted of asked) wanted.isDue = false;
    try {
      if (this.catalog !== undefined) await this.#learnApps(asked, isAll, signal);
      const questions = asked.flatMap((wanted) => Array.from(wanted.parts, (part) => ({ wanted, part })));
      const { batchSize } = this.settings;
      if (isFull) this.#problems.clear();
      for (let from = 0; from < questions.length; from += batchSize) {
        await this.#ask(questions.slice(from, from + batchSize), isFull, signal);
      }
      return true;
    } catch (error) {
      for (const wanted of asked) wanted.isDue = true;
      throw error;
    }
  }

  async #learnApps(asked: readonly WantedService[], isAll: boolean, signal: AbortSignal): Promise<void> {
    const isMissing = asked.some((wanted) => [...wanted.parts].every(({ exists }) => exists !== true));
    await this.catalog?.refresh(isMissing || isAll ? 0 : Infinity, signal);
    for (const wanted of asked) wanted.lookIn(this.catalog?.appsOf(wanted.serviceName) ?? []);
  }

  async #ask(questions: readonly Question[], isFull: boolean, signal: AbortSignal): Promise<void> {
    const items = questions.map(({ wanted, part }): FindItem => ({
      appId: part.app,
      serviceName: wanted.serviceName,
      environment: this.settings.environment,
      revision: isFull ? undefined : part.revision,
    }));
    const { serviceId } = this.identity;
    let results = await askFor(items, serviceId, this.center, signal);
    if (serviceId !== undefined && results.some((result, index) => isAboutConsumer(result, questions[index]))) {
      // It is us whom it does not know, and so it says "does not exist" of everything.
      this.identity.suspect();
      results = await askFor(items, undefined, this.center, signal);
    }
    for (const [index, question] of questions.entries()) {
      const result = results[index];
      if (result !== undefined) await this.#take(question, result);
    }
  }

  async #take({ wanted, part }: Question, result: FindResult): Promise<void> {
    if (result.kind === 'not-modified') {
      part.confirm();
      return;
    }
    if (result.kind === 'failed' && !isUnknownService(result.errorCode)) {
      this.#reject(wanted.name, `service-center says ${result.errorCode ?? 'nothing'} ${result.detail}`);
      // What it refuses to look for is not there; whoever called it should not wait for more.
      if (result.errorCode !== SC_CODE.invalidParameters || part.isRegistered !== undefined) return;
    }
    const isUpdate = result.kind === 'updated';
    const { tags } = this.settings;
    if (isUpdate) await tags?.learn(result.instances, this.#end.signal);
    const at = { service: wanted.name, app: part.app, tagsOf: tags?.of };
    const listed = await readInSlices(isUpdate ? result.instances : [], at, this.#problems.add, part.listed);
    if (isUpdate && listed.size === 0 && result.instances.length > 0) {
      this.#reject(wanted.name, 'none of its instances makes sense; what was known stays');
      if (part.isRegistered === true) return;
    }
    const { changes } = part;
    part.revision = isUpdate ? result.revision : undefined;
    const unsure = part.take(listed, isUpdate, this.ports.clock.now());
    if (unsure.length > 0) {
      this.counter.add('empty-suppressed');
      const message = 'service-center lists instances no longer; they are kept while they accept connections';
      this.logger.warn({ service: wanted.name, app: part.app, instances: unsure.length }, message);
      this.#probeAlarm.ring();
    }
    if (part.changes !== changes) wanted.changed();
  }

  #reject(service: string, problem: string): void {
    this.#problems.add(`${service.slice(0, MAX_SHOWN_NAME)}: ${problem}`);
    this.counter.add('answer-rejected');
  }

  /** Looks at instances that are kept: at once, and then again and again. */
  async #probe(): Promise<void> {
    const { signal } = this.#end;
    const { probeIntervalMs, probeTimeoutMs } = this.settings;
    const { clock, timers } = this.ports;
    while (!signal.aborted) {
      const holding = [...this.#wanted.values()].flatMap((wanted) =>
        Array.from(wanted.parts, (part) => ({ wanted, part })).filter(({ part }) => part.held.length > 0),
      );
      for (const { wanted, part } of holding) {
        const refusing = await findRefusing(part.held, probeTimeoutMs, timers);
        if (signal.aborted) return;
        const dropped = refusing.filter(({ instanceId }) => part.refused(instanceId)).length;
        if (part.expire(clock.now()) || dropped > 0) wanted.changed();
        // Those who come back to a service-center without memory are not told of by events: nobody depended on them yet.
        wanted.isDue = true;
      }
      if (holding.length > 0) this.#alarm.ring();
      const wait = holding.length === 0 ? undefined : jittered(this.ports, probeIntervalMs);
      await this.#probeAlarm.sleep(this.ports, wait, signal);
    }
  }
}

/** "Does not exist" may mean the one that asks; on servers that do not say so, a service that was there a moment ago is a sign of it. */
function isAboutConsumer(result: FindResult | undefined, question: Question | undefined): boolean {
  if (result?.kind !== 'failed' || !isUnknownService(result.errorCode)) return false;
  if (/provider/i.test(result.detail)) return false;
  return /consumer\[[^\]]*\] does not exist/i.test(result.detail) || question?.part.exists === true;
}

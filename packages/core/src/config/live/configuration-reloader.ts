import { isMeshError } from '../../errors.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { Logger } from '../../telemetry/logger.js';
import type { MeshEvents } from '../../telemetry/mesh-events.js';
import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { MeshDocument } from '../document.js';
import type { LoadedConfiguration } from '../load.js';
import { formatOrigin, formatProblems, type Notice, type Problem } from '../problem.js';
import type { EffectiveValue } from '../schema/read-context.js';
import { fingerprintFiles, type ConfigPlace, type FilesFingerprint } from './files-fingerprint.js';
import { locateMistake } from './locate-mistake.js';
import { countReloads } from './reload-metrics.js';
import type { ReloadOptions } from './reload-options.js';
import type { RestartNeed } from './running-configuration.js';
import type { LiveConfiguration } from './live-configuration.js';

/** Under steady changes the files are read after so many times the debounce, although they were never quiet. */
const MAX_WAIT_FACTOR = 5;
/**
 * A file that had content and is empty now is most often about to be written; it counts as empty after so many milliseconds. An
 * editor that writes in place needs less.
 */
const EMPTIED_GRACE_MS = 1_000;
/** Problems that one log line names. */
const LOGGED_PROBLEMS = 20;
/** Notices that are remembered as said; a new one is logged once. */
const REMEMBERED_NOTICES = 1_000;

/** What became of one look at the configuration. */
export type ReloadResult =
  | 'applied'
  /** The content means the same as what is in effect. */
  | 'unchanged'
  | 'rejected'
  /** The files changed while they were read; they are read again soon. */
  | 'unsettled';

/** A configuration that was not taken over. */
export interface Rejected {
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly problems: readonly Problem[];
}

/** What is known about the configuration in effect; for `/config`. */
export interface ConfigurationState {
  readonly hash: string;
  /** Wall-clock milliseconds at which it came into effect. */
  readonly loadedAt: number;
  /** How often a configuration came into effect, the start included. */
  readonly generation: number;
  readonly files: readonly string[];
  readonly effective: readonly EffectiveValue[];
  readonly needsRestart: readonly RestartNeed[];
  /** The last one that was refused, as long as the files or sources still say it. */
  readonly rejected: Rejected | undefined;
}

export interface ReloaderParts {
  readonly live: LiveConfiguration;
  /** What the process was started with; must have a document. */
  readonly started: LoadedConfiguration;
  readonly place: ConfigPlace;
  /** Reads all layers again, with the same sections; `started.asRunning` is to be given as `running`. */
  readonly read: () => Promise<LoadedConfiguration>;
  /** Revisions of config sources; a change means a look is due. */
  readonly sourcesDigest?: () => string;
  /** Told of the folders to watch after each look. */
  readonly onFolders?: (folders: ReadonlyMap<string, string>) => void;
  readonly options: ReloadOptions;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly events: MeshEvents;
  readonly metrics: PolicyMetrics;
}

/**
 * Reads the configuration again as a whole when told that it may have changed, checks all of it, and puts it in the place of the
 * present one in one step; a bad one changes nothing. One look runs at a time; hints that come meanwhile lead to one more.
 */
export class ConfigurationReloader {
  #state: ConfigurationState;
  /** What the last look that came to a result was at. */
  #examined: string | undefined;
  #emptied: ReadonlySet<string> | undefined;
  #emptiedSince: number | undefined;
  #running: Promise<ReloadResult> | undefined;
  #again: Promise<ReloadResult> | undefined;
  #againByForce = false;
  #quiet: TimerHandle | undefined;
  #firstHintAt: number | undefined;
  #poll: TimerHandle | undefined;
  #polled: Promise<void> = Promise.resolve();
  #closed = false;
  readonly #said = new Set<string>();
  readonly #count: (result: ReloadResult) => void;

  constructor(private readonly parts: ReloaderParts) {
    const { started, live, ports } = parts;
    this.#state = {
      hash: live.document.hash,
      loadedAt: ports.clock.wallTime(),
      generation: 1,
      files: started.files,
      effective: started.effective,
      needsRestart: started.needsRestart,
      rejected: undefined,
    };
    this.#remember(started.notices);
    this.#count = countReloads(parts.metrics, () => this.#state);
  }

  get state(): ConfigurationState {
    return this.#state;
  }

  /** Takes the first picture of the files and begins to look at intervals. Without it only {@link reload} and {@link hint} act. */
  async start(): Promise<void> {
    await this.#look();
    if (this.#closed || !this.parts.options.enabled) return;
    this.#poll = this.parts.ports.timers.every(this.parts.options.poll, () => {
      this.#polled = this.#lookAndHint();
    });
  }

  /** Says that something may have changed: it is looked at once it has been quiet for the debounce. */
  hint(): void {
    if (this.#closed) return;
    const { clock } = this.parts.ports;
    const { debounce } = this.parts.options;
    this.#firstHintAt ??= clock.now();
    const waited = clock.now() - this.#firstHintAt;
    const left = Math.max(0, Math.min(debounce, debounce * MAX_WAIT_FACTOR - waited));
    this.#lookAfter(left);
  }

  /** Reads everything at once, also when nothing seems to have changed: SIGHUP. Never rejects. */
  reload(): Promise<ReloadResult> {
    return this.#begin(true);
  }

  /** Resolves once no look is under way, with what became of the last one; undefined when there was none. */
  async whenIdle(): Promise<ReloadResult | undefined> {
    let result: ReloadResult | undefined;
    for (let look = this.#running; look !== undefined; look = this.#running) result = await look;
    return result;
  }

  /** Resolves once the last look at an interval has ended. */
  whenPolled(): Promise<void> {
    return this.#polled;
  }

  close(): void {
    this.#closed = true;
    this.#quiet?.cancel();
    this.#poll?.cancel();
  }

  #begin(force: boolean): Promise<ReloadResult> {
    if (this.#running === undefined) return this.#run(force);
    // One more look after the present one serves everybody who asks meanwhile.
    this.#againByForce ||= force;
    this.#again ??= this.#running.then(() => {
      const byForce = this.#againByForce;
      this.#again = undefined;
      this.#againByForce = false;
      return this.#run(byForce);
    });
    return this.#again;
  }

  #lookAfter(ms: number): void {
    this.#quiet?.cancel();
    if (this.#closed) return;
    this.#quiet = this.parts.ports.timers.after(ms, () => {
      this.#firstHintAt = undefined;
      this.#quiet = undefined;
      void this.#begin(false);
    });
  }

  #run(force: boolean): Promise<ReloadResult> {
    const pass = this.#pass(force)
      .catch((error: unknown) => {
        // Mistakes of users are results; this is one of ours, and it must not end the process.
        this.parts.logger.error({ error }, 'reading the configuration again failed');
        const message = `reading it failed: ${error instanceof Error ? error.message : String(error)}`;
        return this.#counted(this.#reject([{ origin: { layer: 'default' }, path: '', message }]));
      })
      .finally(() => {
        this.#running = undefined;
      });
    this.#running = pass;
    return pass;
  }

  async #pass(force: boolean): Promise<ReloadResult> {
    if (this.#closed) return 'unchanged';
    const before = await this.#look();
    if (!force && before.key === this.#examined) return 'unchanged';
    if (!force && this.#waitsForContent(before.files)) return 'unsettled';
    const loaded = await this.parts.read();
    const after = await this.#look();
    if (this.#closed) return 'unchanged';
    if (after.key !== before.key) {
      this.hint();
      return 'unsettled';
    }
    this.#examined = before.key;
    this.#emptied = new Set(before.files.empty);
    this.#emptiedSince = undefined;
    return this.#counted(this.#judge(loaded, before.files));
  }

  #counted(result: ReloadResult): ReloadResult {
    this.#count(result);
    return result;
  }

  #judge(loaded: LoadedConfiguration, files: FilesFingerprint): ReloadResult {
    const { live } = this.parts;
    const { document } = loaded;
    if (!files.folderThere && this.parts.started.files.length > 0) return this.#reject([this.#missingFolder()]);
    if (document === undefined) return this.#reject(loaded.errors);
    try {
      live.check(document);
    } catch (error) {
      if (!isMeshError(error)) throw error;
      return this.#reject([locateMistake(error, loaded.effective)]);
    }
    this.#sayNotices(loaded.notices);
    this.#sayRestart(loaded.needsRestart);
    if (this.#state.rejected !== undefined) {
      this.parts.logger.info({ hash: document.hash }, 'the configuration is good again');
    }
    const seen = { files: loaded.files, effective: loaded.effective, needsRestart: loaded.needsRestart };
    if (document.hash === live.document.hash) {
      this.#state = { ...this.#state, ...seen, rejected: undefined };
      return 'unchanged';
    }
    return this.#apply(document, seen);
  }

  #apply(document: MeshDocument, seen: Pick<ConfigurationState, 'files' | 'effective' | 'needsRestart'>): ReloadResult {
    const { live, logger, events, ports } = this.parts;
    const before = new Map(this.#state.effective.map(({ key, value }) => [key, value]));
    const keys = changedKeys(before, seen.effective);
    live.swap(document);
    const generation = this.#state.generation + 1;
    this.#state = {
      ...seen,
      hash: document.hash,
      loadedAt: ports.clock.wallTime(),
      generation,
      rejected: undefined,
    };
    // The shown values of secrets are equal.
    const changes = keys.length === 0 ? 'a secret' : keys.length === 1 ? '1 key' : `${keys.length} keys`;
    const text = `a changed configuration is in effect: ${changes} changed`;
    const fields = { hash: document.hash, generation, keys: keys.slice(0, LOGGED_PROBLEMS) };
    logger.info(fields, text);
    events.emit('configuration-applied', '', text, fields);
    return 'applied';
  }

  #reject(problems: readonly Problem[]): ReloadResult {
    const { logger, events, ports } = this.parts;
    this.#state = { ...this.#state, rejected: { at: ports.clock.wallTime(), problems } };
    const lines = formatProblems(problems).split('\n').slice(0, LOGGED_PROBLEMS);
    const mistakes = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
    const text = `a changed configuration has ${mistakes} and is not used; the former one stays in effect`;
    logger.error({ problems: lines }, text);
    events.emit('configuration-rejected', '', text, { problems: lines });
    return 'rejected';
  }

  /** A folder that vanished says nothing about what the user wants, although the environment alone might make a document. */
  #missingFolder(): Problem {
    const file = this.parts.place.confDir;
    const message = 'the configuration folder is gone or cannot be read';
    return { origin: { layer: 'file', file, line: 1, column: 1 }, path: '', message };
  }

  /** True while a file that had content is empty: the rest is most often on its way. */
  #waitsForContent({ empty }: FilesFingerprint): boolean {
    const emptied = empty.filter((path) => this.#emptied?.has(path) !== true);
    if (emptied.length === 0) {
      this.#emptiedSince = undefined;
      return false;
    }
    const { clock } = this.parts.ports;
    this.#emptiedSince ??= clock.now();
    const left = this.#emptiedSince + EMPTIED_GRACE_MS - clock.now();
    if (left <= 0) return false;
    this.#lookAfter(left);
    return true;
  }

  async #lookAndHint(): Promise<void> {
    if (this.#running !== undefined) return;
    const { key } = await this.#look();
    if (key !== this.#examined) this.hint();
  }

  async #look(): Promise<{ readonly key: string; readonly files: FilesFingerprint }> {
    const files = await fingerprintFiles(this.parts.place);
    if (!this.#closed) this.parts.onFolders?.(files.folders);
    const key = `${files.digest} ${this.parts.sourcesDigest?.() ?? ''}`;
    this.#emptied ??= new Set(files.empty);
    return { key, files };
  }

  #sayNotices(notices: readonly Notice[]): void {
    for (const notice of this.#remember(notices)) {
      const fields = { key: notice.path, at: formatOrigin(notice.origin) };
      if (notice.kind === 'unknown-key') this.parts.logger.warn(fields, notice.message);
      else this.parts.logger.info(fields, notice.message);
    }
  }

  /** @returns those that were not there before, apart from their lines */
  #remember(notices: readonly Notice[]): Notice[] {
    if (this.#said.size > REMEMBERED_NOTICES) this.#said.clear();
    return notices.filter(({ kind, path, message }) => {
      const text = `${kind} ${path} ${message}`;
      const isNew = !this.#said.has(text);
      this.#said.add(text);
      return isNew;
    });
  }

  #sayRestart(needs: readonly RestartNeed[]): void {
    const known = new Set(this.#state.needsRestart.map(({ key, found }) => `${key}=${found}`));
    const fresh = needs.filter(({ key, found }) => !known.has(`${key}=${found}`));
    if (fresh.length === 0) return;
    const changes = fresh.slice(0, LOGGED_PROBLEMS).map(({ key, at, because }) => `${key} (${at}): ${because}`);
    this.parts.logger.warn({ changes }, 'changes that need a restart; until then the former values stay in effect');
  }
}

function changedKeys(before: ReadonlyMap<string, string>, now: readonly EffectiveValue[]): string[] {
  const left = new Map(before);
  const changed = now.filter(({ key, value }) => {
    const former = left.get(key);
    left.delete(key);
    return former !== value;
  });
  return [...changed.map(({ key }) => key), ...left.keys()].sort();
}

import type { Instance, Logger, Ports, RegistryState } from '@mesher/core';
import { AddressTree } from '../addresses/address-tree.js';
import { DirectoryWatchers } from '../files/directory-watchers.js';
import { describeError, type FileAccess } from '../files/file-access.js';
import type { FileRegistrySettings } from '../options.js';
import { REGISTRATIONS_FOLDER } from '../registrations/registration-file.js';
import { RegistrationTree } from '../registrations/registration-tree.js';
import { PartState } from './part-state.js';
import { ScanLoop } from './scan-loop.js';
import type { ScanResult } from './scan-result.js';

/** Polls without success after which the knowledge counts as stale although no error was reported. */
const OVERDUE_POLLS = 3;
/** Large trees and busy machines take a while: less than this is not called stale. */
const OVERDUE_LEAST_MS = 10_000;

/** Instances of one service in one part of the directory. */
export interface PartOfService {
  readonly instances: readonly Instance[];
  readonly digest: string;
}

/**
 * Reads both parts of the directory, each in a loop of its own: a thousand registrations that come and go do not make the
 * hand-written files be read, nor the other way round.
 */
export class DirectoryReader {
  /** Grows with every change. */
  version = 0;
  readonly #watchers = { addresses: new DirectoryWatchers(), registrations: new DirectoryWatchers() };
  readonly #trees: { readonly addresses: AddressTree; readonly registrations: RegistrationTree };
  readonly #loops: { readonly addresses: ScanLoop; readonly registrations: ScanLoop };
  readonly #parts: { readonly addresses: PartState; readonly registrations: PartState };
  #started = false;
  #logged: ReadonlySet<string> = new Set();

  /** @param onChange is told the services that may have changed; undefined: any */
  constructor(
    private readonly root: string,
    private readonly files: FileAccess,
    ports: Ports,
    private readonly logger: Logger,
    private readonly settings: FileRegistrySettings,
    private readonly onChange: (services: Iterable<string> | undefined) => void,
  ) {
    const { clock } = ports;
    this.#parts = { addresses: new PartState(clock), registrations: new PartState(clock) };
    this.#trees = {
      addresses: new AddressTree(root, files, this.#watchers.addresses, clock, settings, (name) =>
        this.#onRootEvent(name),
      ),
      registrations: new RegistrationTree(root, files, this.#watchers.registrations, clock, settings, () =>
        this.#loops.registrations.hint(),
      ),
    };
    this.#loops = {
      // People and tools take their time to write a file.
      addresses: new ScanLoop(ports, { ...settings, waitForQuiet: true }, () => this.#scanAddresses()),
      // Registrations are complete when they appear; waiting for quiet would only delay them when many come.
      registrations: new ScanLoop(ports, { ...settings, waitForQuiet: false }, (whole) =>
        this.#scanRegistrations(whole),
      ),
    };
  }

  /** True once all that there is has been seen. */
  get isKnown(): boolean {
    return this.#parts.addresses.isKnown && this.#parts.registrations.isKnown;
  }

  /** Begins to read; only the first call counts. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const loop of Object.values(this.#loops)) loop.start();
  }

  async refresh(): Promise<void> {
    this.start();
    await Promise.all(Object.values(this.#loops).map((loop) => loop.refresh()));
  }

  async close(): Promise<void> {
    for (const watchers of Object.values(this.#watchers)) watchers.close();
    await Promise.all(Object.values(this.#loops).map((loop) => loop.stop()));
  }

  /** @returns undefined while too little has been read to say anything about the service */
  read(
    service: string,
  ): { addresses: PartOfService | undefined; registrations: PartOfService | undefined } | undefined {
    const addresses = this.#trees.addresses.read(service);
    const registrations = this.#trees.registrations.read(service);
    // One part that cannot be read must not hide the other; but "there is no such service" takes both.
    const isFound = addresses !== undefined || registrations !== undefined;
    const hasFailed = Object.values(this.#parts).some((part) => !part.isKnown && part.failure !== undefined);
    return this.isKnown || (isFound && hasFailed) ? { addresses, registrations } : undefined;
  }

  /** All instances of both parts. */
  all(): Instance[] {
    const { addresses, registrations } = this.#trees;
    const all: Instance[] = [];
    for (const service of addresses.services) all.push(...(addresses.read(service)?.instances ?? []));
    for (const service of registrations.services) all.push(...(registrations.read(service)?.instances ?? []));
    return all;
  }

  state(): RegistryState {
    const parts = Object.values(this.#parts);
    const overdueMs = Math.max(this.settings.pollIntervalMs * OVERDUE_POLLS, OVERDUE_LEAST_MS);
    const times = parts.flatMap((part) => part.lastSuccessAt ?? []);
    return {
      freshness: !parts.some((part) => part.isKnown)
        ? 'never'
        : parts.some((part) => part.isStale(overdueMs))
          ? 'stale'
          : 'fresh',
      lastSuccessAt: times.length === 0 ? undefined : Math.min(...times),
      lastError: parts.find((part) => part.failure !== undefined)?.failure,
      problems: this.#problems(),
    };
  }

  /** A directory that is missing at the start is made; one that vanishes later is trouble, and only its owner knows what to do. */
  async #makeRoot(): Promise<void> {
    try {
      await this.files.makeDirectory(this.root);
    } catch (error) {
      this.logger.debug({ root: this.root, error }, 'file registry: the directory could not be made');
    }
  }

  #onRootEvent(name: string | undefined): void {
    if (name === undefined || name === REGISTRATIONS_FOLDER) this.#trees.registrations.hint();
    if (name !== REGISTRATIONS_FOLDER) this.#loops.addresses.hint();
  }

  async #scanAddresses(): Promise<void> {
    const result = await this.#note(this.#parts.addresses, () => this.#trees.addresses.scan());
    if (result?.recheckInMs !== undefined) this.#loops.addresses.recheckIn(result.recheckInMs);
  }

  async #scanRegistrations(whole: boolean): Promise<void> {
    await this.#note(this.#parts.registrations, () => this.#trees.registrations.scan(whole));
  }

  async #note(part: PartState, scan: () => Promise<ScanResult>): Promise<ScanResult | undefined> {
    const isFirst = !part.isKnown;
    if (isFirst) await this.#makeRoot();
    try {
      const result = await scan();
      part.note(result);
      if (isFirst || result.changed.size > 0) this.version += 1;
      // After the first look "does not exist" becomes certain, which concerns services that nobody named.
      this.onChange(isFirst ? undefined : result.changed);
      return result;
    } catch (error) {
      part.noteFailure(describeError(error));
      return undefined;
    } finally {
      this.#logProblems();
    }
  }

  #problems(): string[] {
    const parts = Object.values(this.#parts);
    const watchers = Object.values(this.#watchers);
    return [...parts.flatMap((part) => part.problems), ...watchers.flatMap((watcher) => watcher.problems)];
  }

  /** Each problem is logged when it appears, not with every poll. */
  #logProblems(): void {
    const failures = Object.values(this.#parts).flatMap((part) => part.failure ?? []);
    const present = new Set([...failures, ...this.#problems()]);
    for (const problem of present) {
      if (!this.#logged.has(problem)) this.logger.warn({ root: this.root }, `file registry: ${problem}`);
    }
    for (const problem of this.#logged) {
      if (!present.has(problem)) this.logger.info({ root: this.root }, `file registry: mended: ${problem}`);
    }
    this.#logged = present;
  }
}

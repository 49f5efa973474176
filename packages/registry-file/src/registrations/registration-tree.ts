import { join } from 'node:path';
import { MeshError, type Clock, type Instance } from '@mesher/core';
import type { DirectoryWatchers } from '../files/directory-watchers.js';
import { describeError, type FileAccess, type FileFacts } from '../files/file-access.js';
import type { FileRegistrySettings } from '../options.js';
import type { ScanResult } from '../scanning/scan-result.js';
import { decodeFileName, isServiceName } from '../service-name.js';
import { REGISTRATIONS_FOLDER } from './registration-file.js';
import { ServiceFolder, type FolderSurroundings } from './service-folder.js';

/** Polls that may fail to come before the reader counts as held up. */
const USUAL_GAP_POLLS = 3;

/** What a reader sees of the registrations: `.instances/{service}/{instanceId}.json`. */
export class RegistrationTree {
  readonly #top: string;
  readonly #folders = new Map<string, ServiceFolder>();
  /** Services that exist, to notice when one is remembered no longer. */
  #existing: ReadonlySet<string> = new Set();
  readonly #around: FolderSurroundings;
  #stamp: string | undefined;
  #listAgain = false;
  #listWanted = true;
  #oddNames: readonly string[] = [];
  #lastLookAt: number;

  constructor(
    private readonly root: string,
    private readonly files: FileAccess,
    private readonly watchers: DirectoryWatchers,
    private readonly clock: Clock,
    settings: FileRegistrySettings,
    private readonly onEvent: () => void,
  ) {
    this.#top = join(root, REGISTRATIONS_FOLDER);
    this.#lastLookAt = clock.now();
    this.#around = {
      ...{ files, watchers, clock, onEvent },
      leaseMs: settings.leaseMs,
      usualGapMs: settings.pollIntervalMs * USUAL_GAP_POLLS,
      room: { left: settings.maxInstances },
    };
  }

  get services(): Iterable<string> {
    return this.#existing;
  }

  /** @returns undefined when no instance is registered, nor was any within the last lease */
  read(service: string): { readonly instances: readonly Instance[]; readonly digest: string } | undefined {
    return this.#existing.has(service) ? this.#folders.get(service) : undefined;
  }

  /** An event named the top folder. */
  hint(): void {
    this.#listWanted = true;
    this.onEvent();
  }

  /**
   * Looks at what events named or, when `whole`, at every folder and every lease that is due.
   * @throws MeshError `FILE_REGISTRY_ROOT` when the folder cannot be looked at; everything known stays, no lease ends
   */
  async scan(whole: boolean): Promise<ScanResult> {
    const startedAt = this.clock.now();
    if (whole || this.#listWanted) await this.#lookAtTop();
    const changed = new Set<string>();
    const failures: string[] = [];
    for (const folder of this.#folders.values()) {
      if (!whole && !folder.isHinted) continue;
      try {
        if (await folder.scan(whole, this.#lastLookAt)) changed.add(folder.service);
      } catch (error) {
        failures.push(`registrations of ${folder.service} cannot be read (${describeError(error)})`);
      }
    }
    // The start counts: when this look itself was held up, the next one still knows it.
    if (whole) this.#lastLookAt = startedAt;
    this.#compareExisting(changed);
    return { changed, failure: failures[0], problems: [...this.#problems(), ...failures], recheckInMs: undefined };
  }

  async #lookAtTop(): Promise<void> {
    const facts = await this.#topFacts();
    if (facts === undefined) {
      this.#stamp = undefined;
      this.#listWanted = true;
      return; // each folder finds out for itself that it is gone
    }
    this.watchers.ensure(this.#top, facts.inode, () => this.hint());
    const changed = facts.stamp !== this.#stamp;
    if (!changed && !this.#listAgain && !this.#listWanted) return;
    this.#listWanted = true; // until the listing succeeded
    const names = (await this.files.list(this.#top)) ?? [];
    this.#stamp = facts.stamp;
    this.#listAgain = changed;
    this.#listWanted = false;
    const odd: string[] = [];
    for (const name of names) {
      if (name.startsWith('.')) continue;
      const service = decodeFileName(name);
      if (service === undefined || !isServiceName(service)) odd.push(name);
      else if (!this.#folders.has(service)) {
        this.#folders.set(service, new ServiceFolder(service, join(this.#top, name), this.#around));
      }
    }
    this.#oddNames = odd;
  }

  /** @returns undefined when nobody ever registered here */
  async #topFacts(): Promise<FileFacts | undefined> {
    try {
      const root = await this.files.facts(this.root);
      // A root that is away is trouble; a root without registrations is not.
      if (root?.kind !== 'directory') throw new Error('there is no such directory');
      const facts = await this.files.facts(this.#top);
      if (facts !== undefined && facts.kind !== 'directory') throw new Error('it is not a directory');
      return facts;
    } catch (error) {
      throw new MeshError('FILE_REGISTRY_ROOT', `${this.#top} cannot be read: ${describeError(error)}`, {
        cause: error,
      });
    }
  }

  #compareExisting(changed: Set<string>): void {
    const now = this.clock.now();
    const existing = new Set<string>();
    for (const folder of this.#folders.values()) {
      if (folder.isRemembered(now)) {
        existing.add(folder.service);
      } else if (folder.isGone) {
        this.#folders.delete(folder.service);
        this.watchers.drop(folder.path);
      }
    }
    for (const service of existing) if (!this.#existing.has(service)) changed.add(service);
    for (const service of this.#existing) if (!existing.has(service)) changed.add(service);
    this.#existing = existing;
  }

  #problems(): string[] {
    const problems = [...this.#folders.values()].flatMap((folder) => folder.problems);
    for (const name of this.#oddNames)
      problems.push(`${REGISTRATIONS_FOLDER}/${name}: stands for no service and is left out`);
    const leftOut = [...this.#folders.values()].reduce((sum, folder) => sum + folder.leftOut, 0);
    if (leftOut > 0) problems.push(`${leftOut} registrations beyond maxInstances are left out; raise maxInstances`);
    return problems;
  }
}

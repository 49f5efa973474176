import { basename, join } from 'node:path';
import type { Clock, Instance } from '@mesher/core';
import type { DirectoryListener, DirectoryWatchers } from '../files/directory-watchers.js';
import { describeError, IO_WIDTH, type FileAccess, type FileContent } from '../files/file-access.js';
import { forEachBounded } from '../files/io-gate.js';
import { decodeFileName } from '../service-name.js';
import { AliveInstances } from './alive-instances.js';
import type { Moment } from './lease-watch.js';
import { RegistrationEntry } from './registration-entry.js';
import { MAX_REGISTRATION_BYTES, REGISTRATION_SUFFIX } from './registration-file.js';

/**
 * Registrations are replaced by rename, which shows in the facts of the file; only an edit in place or a re-used inode number
 * could stay unseen. Reading each file once a minute finds that too: 170 readings per second for 10,000 instances, 1 % of a core.
 */
const READ_AGAIN_AFTER_MS = 60_000;
/** A look that comes a third of a lease too late may find everybody's lease over, though only the reader was held up. */
const LATE_PART_OF_LEASE = 1 / 3;

/** What a folder needs from the tree that it belongs to. */
export interface FolderSurroundings {
  readonly files: FileAccess;
  readonly watchers: DirectoryWatchers;
  readonly clock: Clock;
  /** The lease of files that do not say, and the time for which a service is remembered after its last instance left. */
  readonly leaseMs: number;
  /** Longest usual time between two whole looks. */
  readonly usualGapMs: number;
  /** Room for more registrations under the limit; folders take from it and give back. */
  readonly room: { left: number };
  readonly onEvent: () => void;
}

/** The registrations of one service: a folder with one file per instance. */
export class ServiceFolder {
  /** Files that the limit leaves out. */
  leftOut = 0;
  readonly #entries = new Map<string, RegistrationEntry>();
  #named = new Set<string>();
  #listWanted = true;
  #listAgain = false;
  #stamp: string | undefined;
  #inode: string | undefined;
  /** An event told that the folder was deleted. One made in its place may have been given the same inode number. */
  #hasEnded = false;
  readonly #alive = new AliveInstances();
  /** Files that cannot be read, and why. */
  readonly #unreadable = new Map<string, string>();

  constructor(
    readonly service: string,
    readonly path: string,
    private readonly around: FolderSurroundings,
  ) {}

  get problems(): string[] {
    const contents = [...this.#entries.values()].flatMap(({ problem }) => problem ?? []);
    const files = [...this.#unreadable].map(([name, why]) => `${this.service}: ${name} cannot be read (${why})`);
    return [...contents, ...files];
  }

  /** True when an event named something here since the last look. */
  get isHinted(): boolean {
    return this.#listWanted || this.#named.size > 0;
  }

  get instances(): readonly Instance[] {
    return this.#alive.instances;
  }

  /** Changes with the instances. */
  get digest(): string {
    return this.#alive.digest;
  }

  /** True while the service is known: it has an instance, or had one within the last lease. */
  isRemembered(now: number): boolean {
    return this.#alive.isRemembered(now, this.around.leaseMs);
  }

  /** True when the folder is gone and so is everything that was in it. */
  get isGone(): boolean {
    return this.#inode === undefined && this.#entries.size === 0;
  }

  /**
   * Looks at what events named and, when `whole`, at the folder and at every registration that is due.
   * @param lastLookAt monotonic time of the whole look before this one
   * @returns true when the instances changed
   */
  async scan(whole: boolean, lastLookAt: number): Promise<boolean> {
    const now = this.around.clock.now();
    for (const entry of this.#entries.values())
      if (this.#isLate(entry, lastLookAt, now)) entry.lease.forgive(this.#moment());
    if (whole || this.#listWanted) await this.#lookAtFolder();
    const named = this.#named;
    this.#named = new Set();
    await forEachBounded(named, IO_WIDTH, (name) => this.#read(name));
    if (whole) await this.#lookAtDue(lastLookAt);
    return this.#alive.update(this.#entries, this.around.clock.now());
  }

  async #lookAtFolder(): Promise<void> {
    const { files, watchers } = this.around;
    const facts = await files.facts(this.path);
    if (facts?.kind !== 'directory') {
      this.#inode = this.#stamp = undefined;
      this.#listWanted = true;
      this.#loseAll();
      return;
    }
    // Before the listing, so that nothing falls between the two.
    watchers.ensure(this.path, facts.inode, this.#onEvent);
    const isFirst = this.#inode === undefined;
    const isReplaced = !isFirst && (this.#inode !== facts.inode || this.#hasEnded);
    this.#hasEnded = false;
    if (isFirst) this.#alive.remember(this.#monotonicOf(facts.mtimeMs));
    const changed = this.#stamp !== facts.stamp;
    if (!changed && !this.#listAgain && !this.#listWanted && this.leftOut === 0) return;
    this.#inode = facts.inode;
    this.#stamp = facts.stamp;
    // Something else may happen within the same tick of the file system's clock: after a change the next look lists too.
    this.#listAgain = changed;
    this.#listWanted = false;
    try {
      await this.#list(isFirst || isReplaced);
    } catch (error) {
      this.#listWanted = true;
      throw error;
    }
  }

  async #list(folderIsNew: boolean): Promise<void> {
    const listed = (await this.around.files.list(this.path)) ?? [];
    const names = new Set(listed.filter((name) => instanceIdOf(name) !== undefined));
    this.leftOut = 0;
    for (const name of this.#unreadable.keys()) if (!names.has(name)) this.#unreadable.delete(name);
    await forEachBounded(names, IO_WIDTH, async (name) => {
      const entry = this.#entries.get(name);
      const isKnown = entry !== undefined && !entry.lost && (await this.#observe(name, entry));
      if (!isKnown) await this.#read(name);
    });
    for (const [name, entry] of this.#entries) {
      if (names.has(name) || entry.lost) continue;
      if (folderIsNew) entry.lost = true;
      // A listing that runs beside renames may leave out a name that is there all the time (POSIX readdir).
      else await this.#read(name);
    }
  }

  async #lookAtDue(lastLookAt: number): Promise<void> {
    const { clock } = this.around;
    const due = [...this.#entries].filter(([, entry]) => entry.lease.checkAt <= clock.now());
    await forEachBounded(due, IO_WIDTH, async ([name, entry]) => {
      if (entry.lost) {
        if (entry.lease.endsAt <= clock.now()) this.#forget(name);
        return;
      }
      const isKnown = await this.#observe(name, entry, lastLookAt);
      if (!isKnown || clock.now() - entry.readAt >= READ_AGAIN_AFTER_MS) await this.#read(name);
    });
  }

  /** Looks for a sign of life. @returns false when the file must be read, because it was replaced or is not there */
  async #observe(name: string, entry: RegistrationEntry, lastLookAt?: number): Promise<boolean> {
    let facts;
    try {
      facts = await this.around.files.facts(join(this.path, name));
    } catch (error) {
      this.#unreadable.set(name, describeError(error));
      return true;
    }
    if (facts === undefined || entry.isReplaced(facts.identity)) return false;
    this.#unreadable.delete(name);
    const now = this.#moment();
    // Asked again after the look: it may have hung.
    if (lastLookAt !== undefined && this.#isLate(entry, lastLookAt, now.monotonic)) entry.lease.forgive(now);
    entry.lease.observe(facts.mtimeMs, now);
    return true;
  }

  async #read(name: string): Promise<void> {
    const instanceId = instanceIdOf(name);
    if (instanceId === undefined) return;
    const { files, room, leaseMs } = this.around;
    let entry = this.#entries.get(name);
    // Taken before the reading, so that of too many the first by name are read.
    if (entry === undefined && room.left <= 0) {
      this.leftOut += 1;
      return;
    }
    if (entry === undefined) room.left -= 1;
    let content: FileContent = { outcome: 'missing' };
    try {
      content = await files.read(join(this.path, name), MAX_REGISTRATION_BYTES);
      this.#unreadable.delete(name);
      if (content.outcome === 'missing' && entry !== undefined) await this.#settleMissing(entry, name);
    } catch (error) {
      this.#unreadable.set(name, describeError(error));
      this.#named.add(name); // tried again with the next look
    }
    if (content.outcome === 'missing') {
      if (entry === undefined) room.left += 1;
      return;
    }
    const now = this.#moment();
    if (entry === undefined) {
      entry = new RegistrationEntry(this.service, instanceId, content.facts.mtimeMs, leaseMs, now);
      this.#entries.set(name, entry);
    }
    entry.take(content, now);
  }

  /** A file that went alone was taken away by its owner; one that went with its folder was not. */
  async #settleMissing(entry: RegistrationEntry, name: string): Promise<void> {
    if (entry.lost) return;
    const folder = await this.around.files.facts(this.path);
    if (folder !== undefined && folder.inode === this.#inode && !this.#hasEnded) {
      this.#forget(name);
    } else {
      entry.lost = true;
      this.#listWanted = true;
    }
  }

  readonly #onEvent: DirectoryListener = (name, replaced) => {
    if (name?.startsWith('.') === true) return; // temporary; the rename that ends it names the real file
    if (name === undefined || instanceIdOf(name) === undefined) {
      if (name === basename(this.path)) this.#hasEnded = true;
      this.#listWanted = true;
    } else {
      // A touch is a sign of life of an instance that is known to live: it is looked at when its lease would end.
      const entry = this.#entries.get(name);
      if (!replaced && entry !== undefined && entry.counts && entry.problem === undefined) return;
      this.#named.add(name);
    }
    this.around.onEvent();
  };

  #loseAll(): void {
    for (const entry of this.#entries.values()) entry.lost = true;
  }

  #forget(name: string): void {
    if (this.#entries.delete(name)) this.around.room.left += 1;
  }

  #isLate(entry: RegistrationEntry, lastLookAt: number, now: number): boolean {
    const usual = Math.max(this.around.usualGapMs, entry.lease.leaseMs * LATE_PART_OF_LEASE);
    return now - lastLookAt > usual;
  }

  #moment(): Moment {
    const { clock } = this.around;
    return { monotonic: clock.now(), wall: clock.wallTime() };
  }

  /** When a wall-clock time was, at the latest now. */
  #monotonicOf(wallMs: number): number {
    const now = this.#moment();
    return now.monotonic - Math.max(now.wall - wallMs, 0);
  }
}

function instanceIdOf(name: string): string | undefined {
  return decodeFileName(name, REGISTRATION_SUFFIX);
}

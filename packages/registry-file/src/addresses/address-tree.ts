import { join } from 'node:path';
import { MeshError, type Clock, type Instance } from '@mesher/core';
import type { DirectoryListener, DirectoryWatchers } from '../files/directory-watchers.js';
import { describeError, IO_WIDTH, type FileAccess, type FileFacts } from '../files/file-access.js';
import { forEachBounded } from '../files/io-gate.js';
import type { FileRegistrySettings } from '../options.js';
import type { ScanResult } from '../scanning/scan-result.js';
import { isNameSegment, isServiceName } from '../service-name.js';
import { AddressFile, type AddressFileFinding } from './address-file.js';
import { parseAddressLines } from './address-lines.js';

/** Folders within folders; deeper nesting than this is a loop or a mistake. */
const MAX_DEPTH = 8;

interface Folder {
  readonly path: string;
  /** Service name of the folder with a slash at its end; empty for the root. */
  readonly prefix: string;
  /** Inodes of the folder and those above it: a symbolic link that leads back to one of them is a loop. */
  readonly trail: readonly string[];
}

/** One walk through the folders. */
interface Walk {
  readonly files: Map<string, { readonly path: string; readonly facts: FileFacts }>;
  readonly folders: Set<string>;
  /** Files and folders that could not be looked at: what is known of them and below them stays. */
  readonly unreadable: string[];
  readonly problems: string[];
  readonly failures: string[];
  entries: number;
}

/**
 * The hand-written part of the directory: each file is a service, folders nest. A scan looks at every file and reads those
 * whose facts changed; symbolic links are followed by that look, so a ConfigMap swap (`..data` now leads to another folder)
 * shows as changed files.
 */
export class AddressTree {
  readonly #known = new Map<string, AddressFile>();
  #rootInode: string | undefined;
  /** When the root was found replaced by another directory. */
  #replacedAt = -Infinity;

  constructor(
    private readonly root: string,
    private readonly files: FileAccess,
    private readonly watchers: DirectoryWatchers,
    private readonly clock: Clock,
    private readonly settings: FileRegistrySettings,
    private readonly onEvent: DirectoryListener,
  ) {}

  get services(): Iterable<string> {
    return this.#known.keys();
  }

  /** @returns undefined when there is no such file */
  read(service: string): { readonly instances: readonly Instance[]; readonly digest: string } | undefined {
    return this.#known.get(service);
  }

  /**
   * Looks at everything.
   * @throws MeshError `FILE_REGISTRY_ROOT` when the root cannot be looked at; everything known stays
   */
  async scan(): Promise<ScanResult> {
    const walk = await this.#walk();
    const changed = new Set<string>();
    await forEachBounded(walk.files, IO_WIDTH, async ([service, { path, facts }]) => {
      if (await this.#readFile(service, path, facts, walk.problems)) changed.add(service);
    });
    this.#forgetMissing(walk, changed);
    this.watchers.retain(walk.folders);
    const confirmAt = Math.min(...[...this.#known.values()].flatMap((file) => file.confirmAt ?? []));
    return {
      changed,
      failure: walk.failures[0],
      problems: [...walk.problems, ...[...this.#known.values()].flatMap((file) => file.problems), ...walk.failures],
      recheckInMs: confirmAt === Infinity ? undefined : Math.max(confirmAt - this.clock.now(), 1),
    };
  }

  async #walk(): Promise<Walk> {
    const rootFacts = await this.#rootFacts();
    if (this.#rootInode !== undefined && this.#rootInode !== rootFacts.inode) this.#replacedAt = this.clock.now();
    this.#rootInode = rootFacts.inode;
    const walk: Walk = { files: new Map(), folders: new Set(), unreadable: [], problems: [], failures: [], entries: 0 };
    const queue: Folder[] = [{ path: this.root, prefix: '', trail: [rootFacts.inode] }];
    for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
      queue.push(...(await this.#lookInto(folder, walk)));
    }
    if (walk.entries > this.settings.maxFiles) {
      walk.problems.push(
        `more than ${this.settings.maxFiles} files and folders: the rest is left out; is ${this.root} the right directory? ` +
          'Otherwise raise maxFiles',
      );
    }
    return walk;
  }

  async #rootFacts(): Promise<FileFacts> {
    let facts: FileFacts | undefined;
    try {
      facts = await this.files.facts(this.root);
    } catch (error) {
      throw rootError(this.root, describeError(error), error);
    }
    if (facts === undefined) {
      // What comes back under this name is another directory, even if it got the same number.
      if (this.#rootInode !== undefined) this.#rootInode = '';
      throw rootError(this.root, 'it does not exist');
    }
    if (facts.kind !== 'directory') throw rootError(this.root, 'it is not a directory');
    return facts;
  }

  /** Looks at the entries of one folder. @returns the folders in it */
  async #lookInto(folder: Folder, walk: Walk): Promise<Folder[]> {
    walk.folders.add(folder.path);
    this.watchers.ensure(folder.path, folder.trail.at(-1) ?? '', this.onEvent);
    let names: string[] | undefined;
    try {
      names = await this.files.list(folder.path);
    } catch (error) {
      if (folder.prefix === '') throw rootError(this.root, describeError(error), error);
      walk.unreadable.push(folder.prefix.slice(0, -1));
      walk.failures.push(`${folder.prefix}: the folder cannot be read (${describeError(error)})`);
      return [];
    }
    if (names === undefined && folder.prefix === '') throw rootError(this.root, 'it does not exist');
    // Hidden names are not services: `..data` of a ConfigMap, `.instances`, swap files of editors.
    const visible = (names ?? []).filter((name) => !name.startsWith('.'));
    const room = Math.max(this.settings.maxFiles - walk.entries, 0);
    walk.entries += visible.length;
    const folders: Folder[] = [];
    await forEachBounded(visible.slice(0, room), IO_WIDTH, async (name) => {
      const service = folder.prefix + name;
      if (!isNameSegment(name) || !isServiceName(service)) {
        walk.problems.push(`${JSON.stringify(service)}: cannot be the name of a service, the file is left out`);
        return;
      }
      await this.#lookAt(service, join(folder.path, name), folder, walk, folders);
    });
    return folders;
  }

  async #lookAt(service: string, path: string, above: Folder, walk: Walk, folders: Folder[]): Promise<void> {
    let facts: FileFacts | undefined;
    try {
      facts = await this.files.facts(path);
    } catch (error) {
      walk.unreadable.push(service);
      walk.problems.push(`${service}: cannot be looked at (${describeError(error)})`);
      return;
    }
    if (facts === undefined) {
      // Otherwise it was deleted since the listing.
      if (await this.files.isLink(path)) walk.problems.push(`${service}: is a symbolic link that leads nowhere`);
      return;
    }
    if (facts.kind === 'file') {
      walk.files.set(service, { path, facts });
    } else if (facts.kind === 'other') {
      walk.problems.push(`${service}: is neither a file nor a folder and is left out`);
    } else if (above.trail.includes(facts.inode)) {
      walk.problems.push(`${service}: leads back to a folder above it and is left out`);
    } else if (above.trail.length > MAX_DEPTH) {
      walk.problems.push(`${service}: folders deeper than ${MAX_DEPTH} are left out`);
    } else {
      folders.push({ path, prefix: `${service}/`, trail: [...above.trail, facts.inode] });
    }
  }

  /** @returns true when the addresses changed */
  async #readFile(service: string, path: string, facts: FileFacts, problems: string[]): Promise<boolean> {
    let file = this.#known.get(service);
    if (file !== undefined && file.stamp === facts.stamp && !file.readAgain && file.confirmAt === undefined)
      return false;
    let finding: AddressFileFinding;
    let stamp: string | undefined;
    try {
      const content = await this.files.read(path, this.settings.maxFileBytes);
      if (content.outcome === 'missing') return false; // the next scan sees it gone
      stamp = content.facts.stamp;
      finding =
        content.outcome === 'read'
          ? { kind: 'lines', lines: parseAddressLines(content.text) }
          : { kind: 'refused', reason: content.reason };
    } catch (error) {
      const reason = `${service}: cannot be read (${describeError(error)})`;
      problems.push(file === undefined ? reason : `${reason}; the last good state of the file stays in use`);
      if (file !== undefined) file.stamp = undefined;
      return false;
    }
    const isNew = file === undefined;
    file ??= new AddressFile(service, this.settings.confirmEmptyMs);
    this.#known.set(service, file);
    file.readAgain = file.stamp !== stamp;
    file.stamp = stamp;
    return file.apply(finding, this.clock.now()) || isNew;
  }

  #forgetMissing(walk: Walk, changed: Set<string>): void {
    const now = this.clock.now();
    const { leaseMs } = this.settings;
    for (const [service, file] of this.#known) {
      if (walk.files.has(service)) continue;
      if (walk.unreadable.some((name) => service === name || service.startsWith(`${name}/`))) continue;
      // A root that was deleted and made again, or a volume that was unmounted, fills up again after a while.
      const confirmMs = now - this.#replacedAt < leaseMs ? leaseMs : this.settings.confirmEmptyMs;
      if (!file.isGone(now, confirmMs)) continue;
      this.#known.delete(service);
      changed.add(service);
    }
  }
}

function rootError(root: string, what: string, cause?: unknown): MeshError {
  return new MeshError('FILE_REGISTRY_ROOT', `${root} cannot be read: ${what}`, { cause });
}

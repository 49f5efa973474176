import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import { describeError, errorCode } from './file-access.js';

/** `name` is undefined when the platform does not tell it. `replaced`: created, deleted or renamed; otherwise written or touched. */
export type DirectoryListener = (name: string | undefined, replaced: boolean) => void;

interface Watched {
  readonly inode: string;
  readonly watcher: FSWatcher;
}

/**
 * Events of directories, never of single files: one kernel watch per directory, and it survives the renames by which editors,
 * ConfigMaps and registrations replace files. Events are hints and may be lost (queue overflow, network file systems, watches
 * that the kernel refuses); the poll finds what they miss.
 *
 * `fs.watch` is used directly. A watcher library such as chokidar watches each file as well and looks at it for each event, so
 * 10,000 registrations that are touched every five seconds would cost 10,000 watches and 2,000 looks per second; here a touch
 * costs the few microseconds of an ignored callback. What such a library adds (recursion, retries, polling) is needed here in
 * another form anyway, because leases and symbolic-link swaps make no events.
 */
export class DirectoryWatchers {
  readonly #watched = new Map<string, Watched>();
  readonly #problems = new Map<string, string>();
  #closed = false;

  /** Why some directories are seen by polling only. */
  get problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** Watches the directory at `path`, anew when another directory took its place. Call it before listing the directory. */
  ensure(path: string, inode: string, listener: DirectoryListener): void {
    const known = this.#watched.get(path);
    if (known?.inode === inode || this.#closed) return;
    this.drop(path);
    try {
      // Not persistent: the registry never keeps a process alive.
      const watcher = watch(path, { persistent: false });
      this.#watched.set(path, { inode, watcher });
      watcher.on('change', (event, name) => {
        const text = name?.toString();
        // The kernel reports the end of the directory itself under its own name, and this watch ends with it. Its inode
        // number may be given to the directory that is made in its place, so the number alone would not show it.
        if (event === 'rename' && text === basename(path)) this.#dropIfSame(path, watcher);
        listener(text, event === 'rename');
      });
      watcher.on('error', () => {
        this.#dropIfSame(path, watcher);
        listener(undefined, true);
      });
      this.#problems.delete(path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return; // gone since it was looked at: the next look tells
      this.#problems.set(path, `${path} cannot be watched (${describeError(error)}): changes are found by polling`);
    }
  }

  /** Ends the watch of `path`. */
  drop(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
    this.#problems.delete(path);
  }

  /** Ends the watches of all paths that are not in `paths`. */
  retain(paths: { has(path: string): boolean }): void {
    for (const path of [...this.#watched.keys(), ...this.#problems.keys()]) {
      if (!paths.has(path)) this.drop(path);
    }
  }

  /** Ends all watches; none can be begun afterwards. */
  close(): void {
    this.#closed = true;
    this.retain(new Set());
  }

  #dropIfSame(path: string, watcher: FSWatcher): void {
    if (this.#watched.get(path)?.watcher === watcher) this.drop(path);
  }
}

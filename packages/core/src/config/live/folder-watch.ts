import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';

/** Kubernetes swaps the link `..data` to replace all files of a mounted ConfigMap at once. */
const KUBERNETES_PREFIX = '..';

interface Watched {
  readonly inode: string;
  readonly watcher: FSWatcher;
}

/**
 * Events of folders, never of single files: it survives the renames by which editors, copies and ConfigMaps replace files. Events
 * are hints; a poll finds what they miss, so a folder that cannot be watched is no failure.
 */
export class FolderWatch {
  readonly #watched = new Map<string, Watched>();
  #closed = false;

  /**
   * @param names base names whose changes matter; those of other files beside them are not told
   * @param onHint called for each event, perhaps several times for one change
   */
  constructor(
    private readonly names: ReadonlySet<string>,
    private readonly onHint: () => void,
  ) {}

  /** Watches exactly these folders, by path and inode: a folder that took another's place is watched anew. */
  follow(folders: ReadonlyMap<string, string>): void {
    if (this.#closed) return;
    for (const [path, { inode }] of this.#watched) {
      if (folders.get(path) !== inode) this.#drop(path);
    }
    for (const [path, inode] of folders) {
      if (!this.#watched.has(path)) this.#watch(path, inode);
    }
  }

  /** How many folders are watched; a leak check for tests. */
  get size(): number {
    return this.#watched.size;
  }

  close(): void {
    this.#closed = true;
    for (const path of [...this.#watched.keys()]) this.#drop(path);
  }

  #watch(path: string, inode: string): void {
    try {
      // Not persistent: it never keeps a process alive.
      const watcher = watch(path, { persistent: false });
      this.#watched.set(path, { inode, watcher });
      watcher.on('change', (event, name) => {
        const text = name?.toString();
        // The end of the folder itself comes under its own name, and the watch ends with it; the folder that takes its place may
        // have the same inode number.
        const isOwnEnd = event === 'rename' && text === basename(path);
        if (isOwnEnd) this.#drop(path);
        if (isOwnEnd || text === undefined || this.names.has(text) || text.startsWith(KUBERNETES_PREFIX)) this.onHint();
      });
      watcher.on('error', () => {
        this.#drop(path);
        this.onHint();
      });
    } catch {
      // Out of watches, or gone meanwhile: the poll looks after it.
    }
  }

  #drop(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }
}

import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { IoGate } from './io-gate.js';

/** Operations at once: three of the usual four threads, so that one is left for DNS look-ups while a file system hangs. */
export const IO_WIDTH = 3;

/** What is asked of a path. Times are milliseconds since 1970. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  readonly mtimeMs: number;
  /** The file or directory to which the path leads. Numbers of deleted ones are used again. */
  readonly inode: string;
  /** Like `inode`, and tells a file from the deleted one whose number it got, where the file system knows birth times. */
  readonly identity: string;
  /** Changes when the content may have changed. */
  readonly stamp: string;
}

export type FileContent =
  | { readonly outcome: 'read'; readonly text: string; readonly facts: FileFacts }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'refused'; readonly reason: string; readonly facts: FileFacts };

/** The file system as the registry uses it: asynchronous, bounded, and with "not there" as an answer instead of an error. */
export class FileAccess {
  readonly #gate = new IoGate(IO_WIDTH);

  /** Follows symbolic links. @returns undefined when there is nothing at the path */
  async facts(path: string): Promise<FileFacts | undefined> {
    return await this.#gate.run(async () => factsOf(await absentAsUndefined(stat(path))));
  }

  /** True for a symbolic link, wherever it leads. */
  async isLink(path: string): Promise<boolean> {
    return await this.#gate.run(async () => (await absentAsUndefined(lstat(path)))?.isSymbolicLink() === true);
  }

  /** Names in a directory, sorted. @returns undefined when there is no such directory */
  async list(path: string): Promise<string[] | undefined> {
    return (await this.#gate.run(() => absentAsUndefined(readdir(path))))?.sort();
  }

  /** The text of a regular file of at most `maxBytes`. */
  async read(path: string, maxBytes: number): Promise<FileContent> {
    return await this.#gate.run(async () => {
      // Without O_NONBLOCK, opening a named pipe would block a thread until somebody writes into it.
      const handle = await absentAsUndefined(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
      if (handle === undefined) return { outcome: 'missing' };
      try {
        const facts = factsOf(await handle.stat());
        if (facts.kind !== 'file') return { outcome: 'refused', reason: 'is not a regular file', facts };
        // The size is a hint: the file may grow meanwhile. One byte more than allowed shows that it is too large.
        let buffer = Buffer.allocUnsafe(Math.min(facts.size, maxBytes) + 1);
        let length = 0;
        for (;;) {
          const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
          length += bytesRead;
          if (bytesRead === 0 || length > maxBytes) break;
          if (length < buffer.length) continue;
          const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, maxBytes + 1));
          buffer.copy(larger);
          buffer = larger;
        }
        if (length > maxBytes) return { outcome: 'refused', reason: `is larger than ${maxBytes} bytes`, facts };
        return { outcome: 'read', text: buffer.toString('utf8', 0, length), facts };
      } finally {
        await handle.close();
      }
    });
  }

  /**
   * Puts `text` at `path` so that a reader sees the whole of it or nothing: a temporary file beside it, then a rename.
   * There is no fsync: after a power cut the registration would be out of date anyway. Makes the folder when it is missing.
   * @param mtimeMs time that the file carries from its first moment
   */
  async replace(path: string, text: string, mtimeMs: number): Promise<void> {
    await this.#gate.run(async () => {
      try {
        await writeAndRename(path, text, mtimeMs);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        await mkdir(dirname(path), { recursive: true });
        await writeAndRename(path, text, mtimeMs);
      }
    });
  }

  /** Sets the time of an existing file. @returns false when it is not there */
  async touch(path: string, mtimeMs: number): Promise<boolean> {
    return await this.#gate.run(async () => {
      try {
        await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    });
  }

  /** Deletes a file; one that is not there is fine. */
  async remove(path: string): Promise<void> {
    await this.#gate.run(() => absentAsUndefined(unlink(path)));
  }

  /** Deletes a directory when it is empty. @returns false when it is not */
  async removeEmptyDirectory(path: string): Promise<boolean> {
    return await this.#gate.run(async () => {
      try {
        await absentAsUndefined(rmdir(path));
        return true;
      } catch (error) {
        const code = errorCode(error);
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
        throw error;
      }
    });
  }

  /** Makes a directory and those above it. */
  async makeDirectory(path: string): Promise<void> {
    await this.#gate.run(async () => void (await mkdir(path, { recursive: true })));
  }
}

async function writeAndRename(path: string, text: string, mtimeMs: number): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx');
  try {
    try {
      await handle.writeFile(text);
      await handle.utimes(mtimeMs / 1000, mtimeMs / 1000);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // best effort: the sweep finds what stays behind
    throw error;
  }
}

function factsOf(stats: Stats): FileFacts;
function factsOf(stats: Stats | undefined): FileFacts | undefined;
function factsOf(stats: Stats | undefined): FileFacts | undefined {
  if (stats === undefined) return undefined;
  const inode = `${stats.dev}:${stats.ino}`;
  const identity = `${inode}:${stats.birthtimeMs}:${stats.size}`;
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    inode,
    identity,
    // ctime catches a change after which the mtime was put back (cp -p, rsync -t).
    stamp: `${identity}:${stats.mtimeMs}:${stats.ctimeMs}`,
  };
}

async function absentAsUndefined<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** ENOTDIR: a part of the path is a file, so there is nothing at the path. */
function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The code of a system error, such as `EACCES`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** One line about an error, without the path that Node puts into it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/, \w+ '.*$/, '');
}

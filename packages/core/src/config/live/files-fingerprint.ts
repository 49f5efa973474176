import { createHash } from 'node:crypto';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CONFIG_FILES, FILE_LIMITS } from '../layers/files.js';

/** Where the files of a configuration are. */
export interface ConfigPlace {
  readonly confDir: string;
  /** Path of mesher.yaml when it stands elsewhere. */
  readonly meshConfigFile?: string | undefined;
}

/** What the files look like at one moment. */
export interface FilesFingerprint {
  /** Equal for equal contents. */
  readonly digest: string;
  /** False when the folder is not there or cannot be listed. */
  readonly folderThere: boolean;
  /** Files that are there and have no content. */
  readonly empty: readonly string[];
  /** The folders in which a change of the files would show, symbolic links followed: with their inode. */
  readonly folders: ReadonlyMap<string, string>;
}

/** The paths that are read, whether they are there or not. */
export function configPaths({ confDir, meshConfigFile }: ConfigPlace): string[] {
  return CONFIG_FILES.map((name) =>
    name === 'mesher.yaml' && meshConfigFile !== undefined ? meshConfigFile : join(confDir, name),
  );
}

/** Reads all files of a configuration to see whether anything changed. Never throws: what cannot be read is part of the picture. */
export async function fingerprintFiles(place: ConfigPlace): Promise<FilesFingerprint> {
  const hash = createHash('sha256');
  const folders = new Map<string, string>();
  const empty: string[] = [];
  const folderThere = await readdir(place.confDir).then(
    () => true,
    () => false,
  );
  hash.update(String(folderThere));
  await noteFolder(place.confDir, folders);
  for (const path of configPaths(place)) {
    const content = await lookAt(path);
    hash.update(`\0${path}\0${typeof content === 'string' ? content : content.length}\0`);
    if (typeof content !== 'string') {
      hash.update(content);
      if (content.length === 0) empty.push(path);
    }
    const folder = dirname(await realpath(path).catch(() => path));
    await noteFolder(dirname(path), folders);
    await noteFolder(folder, folders);
  }
  return { digest: hash.digest('hex'), folderThere, empty, folders };
}

/** The content, or in words why there is none. A file beyond the limit is not read: the loader refuses it by its size. */
async function lookAt(path: string): Promise<Buffer | string> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return 'no file';
    if (stats.size > FILE_LIMITS.maxFileBytes) return `too large: ${stats.size} ${stats.mtimeMs}`;
    return await readFile(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error';
  }
}

async function noteFolder(path: string, folders: Map<string, string>): Promise<void> {
  if (folders.has(path)) return;
  try {
    const { ino, dev } = await stat(path);
    folders.set(path, `${dev}:${ino}`);
  } catch {
    // Not there: nothing to watch. The next look finds it when it comes.
  }
}

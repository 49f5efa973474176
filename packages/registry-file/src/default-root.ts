import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { MeshError } from '@mesher/core';

/** For the owner alone: who may write here decides where calls go. */
const PRIVATE_MODE = 0o700;
const MODE_BITS = 0o777;

/** What decides where the default root is. */
export interface RootSurroundings {
  /** Environment variable XDG_RUNTIME_DIR. */
  readonly xdgRuntimeDir: string | undefined;
  readonly temporaryDir: string;
  /** Undefined on Windows. */
  readonly userId: number | undefined;
}

/** The surroundings of this process. */
export function rootSurroundings(): RootSurroundings {
  return { xdgRuntimeDir: process.env['XDG_RUNTIME_DIR'], temporaryDir: tmpdir(), userId: process.getuid?.() };
}

/**
 * Where sidecars meet when nobody says where: `{XDG_RUNTIME_DIR or temporary folder}/mesher-{uid}/disco`, the same for all sidecars
 * of this user on this machine. XDG_RUNTIME_DIR counts only when it is a directory of this user (after `su` it may
 * be somebody else's), as the XDG base directory specification demands.
 */
export function defaultRoot({ xdgRuntimeDir, temporaryDir, userId }: RootSurroundings): string {
  const base = xdgRuntimeDir !== undefined && isOwnDirectory(xdgRuntimeDir, userId) ? xdgRuntimeDir : temporaryDir;
  return join(base, `mesher-${userId ?? userInfo().username}`, 'disco');
}

/**
 * Makes the default root, for its owner alone. Synchronous: it runs once, at the start, before anything else can.
 * @throws MeshError `FILE_REGISTRY_ROOT_OWNER` when it belongs to another user (the temporary folder is open to all),
 * `FILE_REGISTRY_ROOT` when it cannot be made
 */
export function makeDefaultRoot(root: string, userId: number | undefined): void {
  for (const path of [join(root, '..'), root]) {
    try {
      mkdirSync(path, { mode: PRIVATE_MODE });
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isThere) {
        throw new MeshError('FILE_REGISTRY_ROOT', `${path} cannot be made; set servicecomb.registry.address`, {
          cause: error,
        });
      }
    }
    makePrivate(path, userId);
  }
}

function makePrivate(path: string, userId: number | undefined): void {
  // lstat: another user could have put a symbolic link there that leads to a directory of ours.
  const stats = lstatSync(path);
  if (!stats.isDirectory() || (userId !== undefined && stats.uid !== userId)) {
    throw new MeshError(
      'FILE_REGISTRY_ROOT_OWNER',
      `${path} is ${stats.isDirectory() ? `a directory of user ${stats.uid}, not of user ${userId}` : 'not a directory'}: ` +
        'whoever writes there could redirect calls. Remove it, or set servicecomb.registry.address to a directory of yours',
    );
  }
  if (userId !== undefined && (stats.mode & MODE_BITS) !== PRIVATE_MODE) chmodSync(path, PRIVATE_MODE);
}

function isOwnDirectory(path: string, userId: number | undefined): boolean {
  if (!isAbsolute(path)) return false;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.isDirectory() && (userId === undefined || stats.uid === userId);
}

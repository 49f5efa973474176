import { MeshError, type Logger } from '@mesher/core';
import { closeSync, constants, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TransparentOptions } from './transparent-schema.js';

/** Who the process is, and may become: `process` but in tests. */
export interface ProcessIdentity {
  geteuid?(): number;
  getegid?(): number;
  seteuid?(id: number): void;
  setuid?(id: number): void;
  setgid?(id: number): void;
  setgroups?(groups: readonly number[]): void;
}

export interface ExemptUserParts {
  readonly logger: Logger;
  /** Folders and files that are read while the sidecar runs. */
  readonly reads: readonly string[];
  readonly identity?: ProcessIdentity;
}

/** A module that is loaded later lies in the same installation as this one. */
const OWN_CODE = fileURLToPath(import.meta.url);

const WHOM_RULES_EXEMPT = 'whom rules of interception leave alone';

/**
 * Makes the process one whose connections the rules of interception leave alone: its own would come back to it otherwise. Root becomes
 * the user and joins the group, either of which is enough for the rules; with TPROXY, which needs the capability NET_ADMIN, it only joins the
 * group. To be called before anything is connected or opened, so that every file and folder is that of the user.
 * @throws MeshError MESH_ERR_TRANSPARENT_USER when root may not change its group
 */
export function becomeExempt(
  { user, group = user, interception }: Pick<TransparentOptions, 'user' | 'group' | 'interception'>,
  { logger, reads, identity = process }: ExemptUserParts,
): void {
  const uid = identity.geteuid?.();
  const gid = identity.getegid?.();
  if (uid === undefined || uid === user || gid === group) return;
  const wanted = { user, group };
  if (uid !== 0) {
    logger.warn(
      { ...wanted, uid, gid },
      `this process is neither the user nor in the group ${WHOM_RULES_EXEMPT} unless told otherwise, so that its connections may come back to it: start it as root, who becomes that user, or make rules with --uid and name the same user in transparent.user`,
    );
    return;
  }
  joinGroup(group, user, identity);
  if (interception === 'tproxy') {
    logger.info(wanted, `started as root: stays root for TPROXY, in the group ${WHOM_RULES_EXEMPT}`);
    return;
  }
  try {
    const unreadable = firstUnreadable([OWN_CODE, ...reads], user, identity);
    if (unreadable === undefined) {
      identity.setuid?.(user);
      logger.info(wanted, `started as root: goes on as the user and group ${WHOM_RULES_EXEMPT}`);
    } else {
      const why = 'the user may not read what this process needs; let it, or its group, read that';
      logger.warn({ ...wanted, unreadable }, `stays root, in the group ${WHOM_RULES_EXEMPT}: ${why}`);
    }
  } catch (error) {
    logger.warn({ ...wanted, error }, `stays root, in the group ${WHOM_RULES_EXEMPT}`);
  }
}

/** User and group of this process, and what that means for rules of interception. */
export function whoRuns(
  { user, group = user }: Pick<TransparentOptions, 'user' | 'group'>,
  identity: ProcessIdentity = process,
): string {
  const [uid, gid] = [identity.geteuid?.(), identity.getegid?.()];
  const isExempt = uid === user || gid === group;
  return `user ${uid}, group ${gid}, ${isExempt ? 'one of' : 'neither of'} whom rules leave alone by default (${user}, ${group})`;
}

function joinGroup(group: number, user: number, identity: ProcessIdentity): void {
  try {
    identity.setgroups?.([group]);
    identity.setgid?.(group);
  } catch (error) {
    throw new MeshError(
      'MESH_ERR_TRANSPARENT_USER',
      `root may not join the group ${group}, ${WHOM_RULES_EXEMPT} (${String(error)}): give it the capabilities SETGID and SETUID, ` +
        `start it as user ${user} (runAsUser, setpriv), or name others in transparent.user and transparent.group`,
    );
  }
}

/** Tried as that user: who may read depends on every folder above as well. */
function firstUnreadable(paths: readonly string[], user: number, identity: ProcessIdentity): string | undefined {
  identity.seteuid?.(user);
  try {
    return paths.find((path) => !isReadable(path));
  } finally {
    identity.seteuid?.(0);
  }
}

/** Not access(2), which asks for the real user. What does not exist need not be readable. */
function isReadable(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

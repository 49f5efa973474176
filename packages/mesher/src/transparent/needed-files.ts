import type { LoadedConfiguration } from '@mesher/core';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * What a running sidecar reads besides its own code: the folder and the files of its configuration, which are read again when they change,
 * and what they name, such as keys and certificates, which are opened later than they are named.
 * @param effective what somebody has written counts; a default that names a path makes it when it is missing
 * @returns absolute paths of what is there
 */
export function neededFiles(
  confDir: string,
  { files, effective }: Pick<LoadedConfiguration, 'files' | 'effective'>,
): readonly string[] {
  const named = effective
    .filter(({ origin, value }) => origin.layer !== 'default' && value !== '' && !value.includes('\0'))
    .map(({ value }) => resolve(confDir, value));
  return [...new Set([confDir, ...files, ...named])].filter(isFileOrFolder);
}

/** Opening anything else may wait for somebody, or do something. */
function isFileOrFolder(path: string): boolean {
  try {
    const found = statSync(path);
    return found.isFile() || found.isDirectory();
  } catch {
    return false;
  }
}

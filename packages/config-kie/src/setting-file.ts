import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { KieError } from './kie-error.js';

/**
 * Reads a file that a setting names, relative to the configuration folder.
 * @param setting its key below `plugin.settings.kie`
 * @throws KieError KIE_SETTING for a file that cannot be read
 */
export async function readSettingFile(setting: string, file: string, confDir: string): Promise<Buffer> {
  const path = resolve(confDir, file);
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new KieError('KIE_SETTING', `plugin.settings.kie.${setting}: ${path} cannot be read (${code})`);
  }
}

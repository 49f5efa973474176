import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { KieError } from './kie-error.js';
import type { KieSettings } from './settings.js';

/** What `node:https` needs. */
export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** @throws KieError KIE_SETTING for a file that cannot be read */
export async function readTls(settings: KieSettings, confDir: string): Promise<TlsFiles> {
  const { caFile, certFile, keyFile, serverName, verifyPeer } = settings;
  return {
    ...(caFile === undefined ? {} : { ca: await read('caFile', caFile, confDir) }),
    ...(certFile === undefined ? {} : { cert: await read('certFile', certFile, confDir) }),
    ...(keyFile === undefined ? {} : { key: await read('keyFile', keyFile, confDir) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: verifyPeer,
  };
}

async function read(setting: string, file: string, confDir: string): Promise<Buffer> {
  const path = resolve(confDir, file);
  try {
    return await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new KieError('KIE_SETTING', `plugin.settings.kie.${setting}: ${path} cannot be read (${code})`);
  }
}

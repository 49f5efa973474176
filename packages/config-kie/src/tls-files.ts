import { readSettingFile } from './setting-file.js';
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
    ...(caFile === undefined ? {} : { ca: await readSettingFile('caFile', caFile, confDir) }),
    ...(certFile === undefined ? {} : { cert: await readSettingFile('certFile', certFile, confDir) }),
    ...(keyFile === undefined ? {} : { key: await readSettingFile('keyFile', keyFile, confDir) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: verifyPeer,
  };
}

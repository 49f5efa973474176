import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RegistryClient } from '@mesher/core';
import { ServiceCenterError } from './service-center-error.js';

type Ssl = RegistryClient['ssl'];
type TlsKeys = Omit<Ssl, 'tags'>;

/** What `node:https` and `ws` need. */
export interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly ciphers?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly rejectUnauthorized: boolean;
}

/** Tags under which go-chassis looks for the TLS of the registry, from low to high. */
const TAGS = ['registry', 'registry.Consumer'] as const;

/**
 * TLS to service-center: `ssl.registry.Consumer.*` over `ssl.registry.*` over `ssl.*`, key by key. Unlike go-chassis it checks the
 * certificate of the server unless `verifyPeer: false` says not to: whoever speaks as the registry decides where calls go.
 * @throws ServiceCenterError SC_SETTING for a file that cannot be read, or a cipher plugin
 */
export async function readTls(ssl: Ssl, confDir: string): Promise<TlsOptions> {
  const layers: readonly Partial<TlsKeys>[] = [ssl, ...TAGS.flatMap((tag) => ssl.tags.get(tag) ?? [])];
  const pick = <K extends keyof TlsKeys>(key: K): TlsKeys[K] | undefined =>
    layers.reduce<TlsKeys[K] | undefined>((found, layer) => layer[key] ?? found, undefined);
  const cipherPlugin = pick('cipherPlugin');
  if (cipherPlugin !== undefined && cipherPlugin !== 'default') {
    throw setting('cipherPlugin', `'${cipherPlugin}' is unknown; passwords of keys are read as they are: leave it out`);
  }
  const read = async (key: 'caFile' | 'certFile' | 'keyFile' | 'certPwdFile'): Promise<Buffer | undefined> => {
    const file = pick(key);
    return file === undefined ? undefined : await readSetting(key, resolve(confDir, file));
  };
  const [ca, cert, key, password] = await Promise.all([
    read('caFile'),
    read('certFile'),
    read('keyFile'),
    read('certPwdFile'),
  ]);
  const servername = pick('serverName');
  const suites = pick('cipherSuits');
  const lowest = version('minVersion', pick('minVersion') ?? pick('protocol'));
  const highest = version('maxVersion', pick('maxVersion'));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(password === undefined ? {} : { passphrase: password.toString().trim() }),
    ...(servername === undefined ? {} : { servername }),
    ...(suites === undefined ? {} : { ciphers: suites.map(openSslName).join(':') }),
    minVersion: lowest ?? 'TLSv1.2',
    ...(highest === undefined ? {} : { maxVersion: highest }),
    rejectUnauthorized: pick('verifyPeer') ?? true,
  };
}

/** Go and the RFCs write `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, OpenSSL `ECDHE-RSA-AES128-GCM-SHA256`; TLS 1.3 is the same in both. */
function openSslName(suite: string): string {
  if (!suite.includes('_WITH_')) return suite;
  return suite
    .replace(/^TLS_/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(\d+)/, 'AES$1')
    .replaceAll('_', '-');
}

function version(key: string, value: string | undefined): 'TLSv1.2' | 'TLSv1.3' | undefined {
  if (value === undefined) return undefined;
  if (value === 'TLSv1.2' || value === 'TLSv1.3') return value;
  throw setting(key, `'${value}' is no version of TLS that is still safe: TLSv1.2 or TLSv1.3`);
}

async function readSetting(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw setting(key, `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

function setting(key: string, problem: string): ServiceCenterError {
  return new ServiceCenterError('SC_SETTING', `ssl.registry.Consumer.${key}: ${problem}`);
}

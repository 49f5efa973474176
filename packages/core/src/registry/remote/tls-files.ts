import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { RegistryClient } from '../../plugin/registry-client.js';

type Ssl = RegistryClient['ssl'];
type TlsKeys = Omit<Ssl, 'tags'>;

/** What `node:https` and `ws` need to speak with a registry. */
export interface RegistryTls {
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
 * TLS to a registry: `ssl.registry.Consumer.*` over `ssl.registry.*` over `ssl.*`, key by key. Unlike go-chassis it checks the
 * certificate of the server unless `verifyPeer: false` says not to: whoever speaks as the registry decides where calls go.
 * @param refuse makes the error of the registry from a text that names the key
 * @throws what `refuse` makes for a file that cannot be read, a cipher plugin, or a version of TLS that is broken
 */
export async function readRegistryTls(
  ssl: Ssl,
  confDir: string,
  refuse: (problem: string) => Error,
): Promise<RegistryTls> {
  const setting = (key: string, problem: string): Error => refuse(`ssl.registry.Consumer.${key}: ${problem}`);
  const layers: readonly Partial<TlsKeys>[] = [ssl, ...TAGS.flatMap((tag) => ssl.tags.get(tag) ?? [])];
  const pick = <K extends keyof TlsKeys>(key: K): TlsKeys[K] | undefined =>
    layers.reduce<TlsKeys[K] | undefined>((found, layer) => layer[key] ?? found, undefined);
  const cipherPlugin = pick('cipherPlugin');
  if (cipherPlugin !== undefined && cipherPlugin !== 'default') {
    throw setting(
      'cipherPlugin',
      `there is no cipher plugin '${cipherPlugin}' to decrypt certPwdFile; put the plain password there, readable for this process only, and leave cipherPlugin out`,
    );
  }
  const read = async (key: 'caFile' | 'certFile' | 'keyFile' | 'certPwdFile'): Promise<Buffer | undefined> => {
    const file = pick(key);
    return file === undefined
      ? undefined
      : await readSetting(resolve(confDir, file), (problem) => setting(key, problem));
  };
  const [ca, cert, key, password] = await Promise.all([
    read('caFile'),
    read('certFile'),
    read('keyFile'),
    read('certPwdFile'),
  ]);
  // OpenSSL takes such a file, and then trusts nobody.
  if (ca !== undefined && !CERTIFICATE.test(ca.toString('latin1'))) {
    throw setting('caFile', 'there is no certificate in it (-----BEGIN CERTIFICATE-----)');
  }
  const servername = pick('serverName');
  const suites = pick('cipherSuits');
  const ciphers = suites?.map(openSslName).join(':');
  if (ciphers !== undefined && !isUsable(ciphers)) {
    throw setting('cipherSuits', `this Node.js has none of ${suites?.join(', ') ?? ''}`);
  }
  const lowest = version(pick('minVersion') ?? pick('protocol'), (problem) => setting('minVersion', problem));
  const highest = version(pick('maxVersion'), (problem) => setting('maxVersion', problem));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(password === undefined ? {} : { passphrase: password.toString().trim() }),
    ...(servername === undefined ? {} : { servername }),
    ...(ciphers === undefined ? {} : { ciphers }),
    minVersion: lowest ?? 'TLSv1.2',
    ...(highest === undefined ? {} : { maxVersion: highest }),
    rejectUnauthorized: pick('verifyPeer') ?? true,
  };
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;

function isUsable(ciphers: string): boolean {
  try {
    createSecureContext({ ciphers });
    return true;
  } catch {
    return false;
  }
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

function version(value: string | undefined, refuse: (problem: string) => Error): 'TLSv1.2' | 'TLSv1.3' | undefined {
  if (value === undefined) return undefined;
  if (value === 'TLSv1.2' || value === 'TLSv1.3') return value;
  throw refuse(`'${value}' is no version of TLS that is still safe: TLSv1.2 or TLSv1.3`);
}

async function readSetting(path: string, refuse: (problem: string) => Error): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw refuse(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

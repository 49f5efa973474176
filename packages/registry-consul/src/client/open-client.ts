import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readRegistryTls, type PluginContext, type RegistryClient, type RegistryTls } from '@mesher/core';
import { DEFAULT_ADDRESS, readAddress } from './addresses.js';
import { Agents } from './agents.js';
import { Calls } from './calls.js';
import type { ConnectionOptions } from './connection-options.js';
import { ConsulClient } from './consul-client.js';
import { ConsulError } from './consul-error.js';
import { TokenSource } from './token-source.js';

export interface ClientSources {
  /** What says how a client goes on asking is a matter of who asks. */
  readonly options: Omit<ConnectionOptions, 'wait' | 'minInterval' | 'minRetryDelay' | 'maxRetryDelay'>;
  /** When `options` names none. */
  readonly addresses: readonly string[];
  /** `ssl.*`, below the settings of `options`; left out by those who have no such section. */
  readonly ssl?: RegistryClient['ssl'];
  /** Most answers that Consul holds back at the same time. */
  readonly maxHeld: number;
}

/**
 * A client as the settings say. Nothing is asked yet.
 * @throws ConsulError CONSUL_SETTING for addresses, TLS files or a token file that cannot be used
 */
export async function openClient(
  { options, addresses, ssl, maxHeld }: ClientSources,
  { ports, confDir }: Pick<PluginContext, 'ports' | 'confDir'>,
): Promise<ConsulClient> {
  const configured = options.address ?? (addresses.length > 0 ? addresses : [DEFAULT_ADDRESS]);
  const agents = configured.map((text) => readAddress(text, options.ssl));
  const tls = agents.some(({ isTls }) => isTls) ? await tlsOf(options, ssl, confDir) : { rejectUnauthorized: true };
  const token = new TokenSource(options.token, options.tokenFile, confDir);
  await token.refresh();
  const calls = new Calls(new Agents(agents, tls, maxHeld), token, ports.timers, {
    namespace: options.namespace,
    partition: options.partition,
    httpAuth: options.httpAuth,
    timeoutMs: options.requestTimeout,
    maxBytes: options.maxResponseBytes,
  });
  return new ConsulClient(calls, { datacenter: options.datacenter, consistency: options.consistency });
}

async function tlsOf(
  options: ClientSources['options'],
  ssl: RegistryClient['ssl'] | undefined,
  confDir: string,
): Promise<RegistryTls> {
  const refuse = (problem: string): ConsulError => new ConsulError('CONSUL_SETTING', problem);
  const common: RegistryTls =
    ssl === undefined ? { rejectUnauthorized: true } : await readRegistryTls(ssl, confDir, refuse);
  const { caFile, caPath, certFile, keyFile, serverName, verifyPeer } = options;
  const read = async (key: string, file: string): Promise<Buffer> => {
    const path = resolve(confDir, file);
    try {
      return await readFile(path);
    } catch (error) {
      throw refuse(`${key}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    }
  };
  const readAll = async (key: string, folder: string): Promise<Buffer> => {
    const path = resolve(confDir, folder);
    const names = await readdir(path).catch((error: unknown) => {
      throw refuse(`${key}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    });
    const files = names.filter((name) => /\.(pem|crt|cer)$/i.test(name)).sort();
    if (files.length === 0) throw refuse(`${key}: there are no certificates (*.pem, *.crt, *.cer) in ${path}`);
    return Buffer.concat(await Promise.all(files.map((name) => read(key, join(path, name)))));
  };
  return {
    ...common,
    ...(caFile === undefined ? {} : { ca: await read('caFile', caFile) }),
    ...(caFile !== undefined || caPath === undefined ? {} : { ca: await readAll('caPath', caPath) }),
    ...(certFile === undefined ? {} : { cert: await read('certFile', certFile) }),
    ...(keyFile === undefined ? {} : { key: await read('keyFile', keyFile) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(verifyPeer === undefined ? {} : { rejectUnauthorized: verifyPeer }),
  };
}

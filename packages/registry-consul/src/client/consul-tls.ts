import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readRegistryTls, type RegistryClient, type RegistryTls } from '@mesher/core';
import type { ConnectionOptions } from './connection-options.js';
import { ConsulError } from './consul-error.js';

type TlsSettings = Pick<ConnectionOptions, 'caFile' | 'caPath' | 'certFile' | 'keyFile' | 'serverName' | 'verifyPeer'>;

/**
 * TLS to an agent: the settings of Consul over those of `ssl.registry.Consumer`.
 * @throws ConsulError CONSUL_SETTING for a file that cannot be read
 */
export async function readConsulTls(
  options: TlsSettings,
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

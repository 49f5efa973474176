import { resolve } from 'node:path';
import { formatHostPort, parseHostPort } from '@mesher/core';
import { PersistentRegistry, StateFileError } from '@mesher/registry-servicecenter/testing';
import { EXIT, type ExitCode } from './exit-codes.js';

export interface RegistryOptions {
  /** `host:port`; port 0 for a free one. */
  readonly listen: string;
  /** Folder of the state, relative to where the command was started. */
  readonly data: string;
  /** Keep nothing. */
  readonly inMemory?: boolean;
}

export interface RegistryStreams {
  readonly out: (text: string) => unknown;
  readonly err: (text: string) => unknown;
}

/** Password of the account `root`; with it, everybody has to log in. Not an option: command lines are seen by others. */
const PASSWORD_VARIABLE = 'MESHER_REGISTRY_PASSWORD';

/** Addresses that only this machine reaches. */
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

/**
 * `mesher registry`: a registry with the API of service-center for development and small teams, until `ended`.
 * @param ended resolves when it shall stop; what is not saved yet is saved then
 */
export async function runRegistry(
  { listen, data, inMemory = false }: RegistryOptions,
  env: NodeJS.ProcessEnv,
  { out, err }: RegistryStreams,
  ended: Promise<unknown>,
): Promise<ExitCode> {
  const address = parseHostPort(listen);
  if (typeof address === 'string') {
    err(`mesher registry: --listen expects ${address}\n`);
    return EXIT.usage;
  }
  const folder = inMemory ? undefined : resolve(data);
  const rootPassword = env[PASSWORD_VARIABLE] || undefined;
  let registry: PersistentRegistry;
  try {
    registry = await PersistentRegistry.start({
      ...address,
      ...(folder === undefined ? {} : { folder }),
      ...(rootPassword === undefined ? {} : { rootPassword }),
      complain: (error) => err(`mesher registry: the state could not be saved: ${messageOf(error)}\n`),
    });
  } catch (error) {
    err(`mesher registry: ${startTrouble(error, listen)}\n`);
    return EXIT.failed;
  }
  const { server } = registry;
  out(`mesher registry: ${server.url}, ${folder === undefined ? 'in memory' : `kept in ${folder}`}\n`);
  out(`  servicecomb: { registry: { type: servicecenter, address: "${server.url}" } } # in chassis.yaml\n`);
  if (!LOOPBACK.test(address.host) && rootPassword === undefined) {
    const where = formatHostPort({ host: address.host, port: server.port });
    err(`mesher registry: whoever reaches ${where} may register and remove; ${PASSWORD_VARIABLE} asks for a login\n`);
  }
  await ended;
  await registry.close();
  return EXIT.ok;
}

function startTrouble(error: unknown, listen: string): string {
  if (error instanceof StateFileError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${listen} is in use, perhaps by another registry; --listen takes another address`;
  return messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { PluginContext, Registry } from '@mesher/core';
import { defaultRoot, makeDefaultRoot, rootSurroundings } from './default-root.js';
import { FileAccess } from './files/file-access.js';
import { FileDiscovery } from './file-discovery.js';
import { FileRegistrator } from './file-registrator.js';
import { fileRegistrySettings, type FileRegistryOptions } from './options.js';

/** Random bytes that tell two processes with the same number apart: in two containers, or one after the other. */
const TOKEN_BYTES = 6;

export interface FileRegistry extends Registry {
  readonly discovery: FileDiscovery;
  readonly registrator: FileRegistrator;
  /** Absolute path of the directory. */
  readonly root: string;
}

/**
 * A registry that is a directory: it finds the services whose files lie there, and registers instances as files.
 * `discovery.close()` ends both halves. Nothing is read before the first watch, nothing written before the first registration;
 * only the default root is made at once.
 *
 * ```ts
 * const registry = createFileRegistry({ address: 'disco' }, { ports: systemPorts(), logger, confDir: process.cwd() });
 * for await (const { instances } of registry.discovery.watch({ service: 'world' }, signal)) console.log(instances);
 * ```
 *
 * @throws MeshError `FILE_REGISTRY_SETTING` for a setting out of bounds; what {@link makeDefaultRoot} throws when no address is set
 */
export function createFileRegistry(
  options: FileRegistryOptions,
  context: Pick<PluginContext, 'ports' | 'logger' | 'confDir'>,
): FileRegistry {
  const settings = fileRegistrySettings(options);
  const { ports, logger } = context;
  const root = rootOf(options.address, context.confDir);
  const files = new FileAccess();
  const registrator = new FileRegistrator(root, makeProcessId(), files, ports, logger, settings);
  const discovery = new FileDiscovery(root, files, ports, logger, settings, registrator);
  logger.info({ root }, `file registry: services are found and registered in ${root}`);
  return { discovery, registrator, root };
}

function rootOf(address: string | undefined, confDir: string): string {
  if (address !== undefined && address !== '') return resolve(confDir, address);
  const surroundings = rootSurroundings();
  const root = defaultRoot(surroundings);
  makeDefaultRoot(root, surroundings.userId);
  return root;
}

function makeProcessId(): string {
  const host = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return `${host}-${process.pid}-${randomBytes(TOKEN_BYTES).toString('hex')}`;
}

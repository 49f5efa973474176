import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  Chassis,
  GivenDiscovery,
  MeshError,
  PluginCatalog,
  formatProblems,
  parseServicePorts,
  readGivenInstances,
  systemPorts,
  type CallExplanation,
  type ExplainRequest,
  type Instance,
  type MeshDocument,
  type PluginDefinition,
  type PluginKind,
  type Registry,
} from '@mesher/core';
import { load } from '../sidecar/load.js';

/** The only registry that can be read without a server. */
const FILE_REGISTRY = 'file';

/**
 * Explains a call with a configuration that need not run anywhere: no port is opened, nothing is registered.
 * @param dir configuration folder
 * @param instancesFile YAML file with instances by service; the file registry of the configuration when left out
 * @throws MeshError for a configuration or a file of instances that is wrong, with every mistake
 */
export async function explainFiles(
  request: ExplainRequest,
  dir: string,
  instancesFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CallExplanation> {
  const confDir = resolve(dir);
  const { configuration, catalog } = await load({ confDir, env });
  const { document, errors } = configuration;
  if (document === undefined) {
    throw new MeshError('MESH_ERR_CONFIG', `the configuration in ${dir} is wrong:\n${formatProblems(errors)}`);
  }
  const given = instancesFile === undefined ? undefined : await readInstances(instancesFile);
  if (given === undefined) await requireFileRegistry(document, confDir);
  const chassis = await Chassis.create({
    document,
    confDir,
    catalog: given === undefined ? catalog : new CatalogWithInstances(catalog, given),
    servicePorts: parseServicePorts(env['SERVICE_PORTS'] ?? ''),
  });
  try {
    await chassis.start();
    return await chassis.explain(request);
  } finally {
    await chassis.close();
  }
}

async function readInstances(file: string): Promise<ReadonlyMap<string, readonly Instance[]>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new MeshError('MESH_ERR_CONFIG', `--instances: ${(error as Error).message}`);
  }
  const { instances, problems } = await readGivenInstances(text, file);
  if (problems.length === 0) return instances;
  throw new MeshError('MESH_ERR_CONFIG', `the instances in ${file} are wrong:\n${formatProblems(problems)}`);
}

/** Asking a question must not make a folder, nor wait for a server. */
async function requireFileRegistry({ registry }: MeshDocument, confDir: string): Promise<void> {
  const [address] = registry.address ?? [];
  const isFile = registry.type === FILE_REGISTRY && address !== undefined;
  const folder = isFile ? resolve(confDir, address) : undefined;
  if (folder !== undefined && (await isFolder(folder))) return;
  const why =
    folder === undefined
      ? 'the configuration names no folder of the file registry (servicecomb.registry.type: file, address: FOLDER)'
      : `the folder of the file registry, ${folder}, does not exist`;
  throw new MeshError('MESH_ERR_CONFIG', `which instances are there? ${why}; pass --instances FILE`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** The same plugins, with the given instances in place of every registry. */
class CatalogWithInstances extends PluginCatalog {
  constructor(
    private readonly real: PluginCatalog,
    private readonly instances: ReadonlyMap<string, readonly Instance[]>,
  ) {
    super();
  }

  override find<K extends PluginKind>(kind: K, name: string): PluginDefinition<K, unknown> | undefined {
    if (kind !== 'registry') return this.real.find(kind, name);
    const discovery = new GivenDiscovery('given', this.instances, systemPorts().clock.wallTime());
    const create = (): Registry => ({ discovery, registrator: undefined });
    return { kind: 'registry', name, create } as unknown as PluginDefinition<K, unknown>;
  }

  override names(kind: PluginKind): string[] {
    return this.real.names(kind);
  }

  override [Symbol.iterator](): ReturnType<PluginCatalog[typeof Symbol.iterator]> {
    return this.real[Symbol.iterator]();
  }
}

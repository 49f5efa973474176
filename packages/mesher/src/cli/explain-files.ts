import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Chassis,
  GivenDiscovery,
  MeshError,
  formatProblems,
  parseServicePorts,
  readGivenInstances,
  systemPorts,
  type CallExplanation,
  type ExplainRequest,
  type Instance,
  type PluginCatalog,
  type PluginDefinition,
  type Registry,
} from '@mesher/core';
import { load } from '../sidecar/load.js';
import { CatalogWithRegistries } from './catalog-with-registries.js';
import { isFolder, requireFolder } from './given-folder.js';

/** The only registry that can be read without a server. */
const FILE_REGISTRY = 'file';

type RegistryOf = (name: string) => PluginDefinition<'registry', unknown>;

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
  await requireFolder(dir);
  const { configuration, catalog } = await load({ confDir, env });
  const { document, errors } = configuration;
  if (document === undefined) {
    throw new MeshError('MESH_ERR_CONFIG', `the configuration in ${dir} is wrong:\n${formatProblems(errors)}`);
  }
  const registryOf =
    instancesFile === undefined ? fileRegistryAsItIs(catalog) : givenInstances(await readInstances(instancesFile));
  const chassis = await Chassis.create({
    document,
    confDir,
    catalog: new CatalogWithRegistries(catalog, registryOf),
    servicePorts: parseServicePorts(env['SERVICE_PORTS'] ?? ''),
  });
  try {
    // Not all that a start begins: the stores of shared limits are not asked.
    await chassis.directory.followAll();
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

/** The given instances in place of every registry. */
function givenInstances(instances: ReadonlyMap<string, readonly Instance[]>): RegistryOf {
  const create = (): Registry => ({
    discovery: new GivenDiscovery('given', instances, systemPorts().clock.wallTime()),
    registrator: undefined,
  });
  return (name) => ({ kind: 'registry', name, create });
}

/** The file registry over a folder that is there: asking a question must not make one, nor wait for a server. */
function fileRegistryAsItIs(catalog: PluginCatalog): RegistryOf {
  const real = catalog.find('registry', FILE_REGISTRY);
  return (name) => ({
    ...(name === FILE_REGISTRY ? real : undefined),
    kind: 'registry',
    name,
    create: async (config, context) => {
      const [address] = name === FILE_REGISTRY ? context.registryAddresses : [];
      if (real === undefined || address === undefined) {
        throw unknownInstances(
          'the configuration names no folder of the file registry (servicecomb.registry.address: FOLDER)',
        );
      }
      const folder = address.startsWith('file://') ? fileURLToPath(address) : resolve(context.confDir, address);
      if (!(await isFolder(folder)))
        throw unknownInstances(`the folder of the file registry, ${folder}, does not exist`);
      return await real.create(config, context);
    },
  });
}

function unknownInstances(why: string): MeshError {
  return new MeshError('MESH_ERR_CONFIG', `which instances are there? ${why}; pass --instances FILE`);
}

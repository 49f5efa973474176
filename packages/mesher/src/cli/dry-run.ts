import { Chassis, type MeshDocument, type PluginCatalog, type Registry } from '@mesher/core';
import { CatalogWithRegistries } from './catalog-with-registries.js';

/** Registries that users of go-chassis and mesher have, and that come with a later version. */
const PLANNED_REGISTRIES: readonly string[] = ['pilot', 'pilotv2', 'kubernetes'];

/**
 * Puts the parts together as a start does, to find mistakes that no single value shows: unknown plugins and handlers, settings that
 * a plugin refuses. The registry is a stand-in: a check asks no server and makes no folder.
 * @returns what is missing in this version, as text; undefined when a sidecar could start
 * @throws MeshError for the first mistake
 */
export async function dryRun(
  document: MeshDocument,
  confDir: string,
  catalog: PluginCatalog,
): Promise<string | undefined> {
  const standIns = new CatalogWithRegistries(catalog, (name) => {
    const real = catalog.find('registry', name);
    if (real === undefined) {
      return PLANNED_REGISTRIES.includes(name) ? { kind: 'registry', name, create: () => EMPTY_REGISTRY } : undefined;
    }
    const { configSchema } = real;
    return {
      ...{ kind: 'registry', name, ...(configSchema === undefined ? {} : { configSchema }) },
      create: async (config, context) => {
        await real.check?.(config, context);
        return EMPTY_REGISTRY;
      },
    };
  });
  const chassis = await Chassis.create({ document, confDir, catalog: standIns });
  await chassis.close();
  const { type } = chassis.registryChoice;
  if (type === undefined || catalog.find('registry', type) !== undefined) return undefined;
  const known = catalog.names('registry').join(', ');
  return `servicecomb.registry: '${type}' comes with a later version, and a sidecar would not start; this one has ${known}`;
}

const EMPTY_REGISTRY: Registry = {
  discovery: {
    name: 'none',
    async *watch() {
      // nothing is ever found
    },
    state: () => ({ freshness: 'never', lastSuccessAt: undefined, lastError: undefined, problems: [] }),
    close: () => Promise.resolve(),
  },
  registrator: undefined,
};

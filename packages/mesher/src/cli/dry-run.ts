import {
  Chassis,
  PluginCatalog,
  type MeshDocument,
  type PluginDefinition,
  type PluginKind,
  type Registry,
} from '@mesher/core';

/** Registries that users of go-chassis and mesher have, and that come with a later version. */
const PLANNED_REGISTRIES: readonly string[] = ['servicecenter', 'pilot', 'pilotv2', 'consul', 'kubernetes'];

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
  const chassis = await Chassis.create({ document, confDir, catalog: new CatalogForChecks(catalog) });
  await chassis.close();
  const { type } = chassis.registryChoice;
  if (type === undefined || catalog.find('registry', type) !== undefined) return undefined;
  const known = catalog.names('registry').join(', ');
  return `servicecomb.registry: '${type}' comes with a later version, and a sidecar would not start; this one has ${known}`;
}

/** The same plugins, with stand-ins for registries. */
class CatalogForChecks extends PluginCatalog {
  constructor(private readonly real: PluginCatalog) {
    super();
  }

  override find<K extends PluginKind>(kind: K, name: string): PluginDefinition<K, unknown> | undefined {
    const plugin = this.real.find(kind, name);
    if (kind !== 'registry' || (plugin === undefined && !PLANNED_REGISTRIES.includes(name))) return plugin;
    const standIn: PluginDefinition<'registry', unknown> = { kind: 'registry', name, create: () => EMPTY_REGISTRY };
    return standIn as unknown as PluginDefinition<K, unknown>;
  }

  override names(kind: PluginKind): string[] {
    return this.real.names(kind);
  }

  /** Also those that policies choose from while they run. */
  override [Symbol.iterator](): ReturnType<PluginCatalog[typeof Symbol.iterator]> {
    return this.real[Symbol.iterator]();
  }
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

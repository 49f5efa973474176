import { PluginCatalog, type PluginDefinition, type PluginKind } from '@mesher/core';

type RegistryPlugin = PluginDefinition<'registry', unknown>;

/** The same plugins, with other registries: commands that only look at a configuration must reach no server and leave nothing behind. */
export class CatalogWithRegistries extends PluginCatalog {
  /** @param registryOf the plugin in place of the registry of that name; undefined when there is none */
  constructor(
    private readonly real: PluginCatalog,
    private readonly registryOf: (name: string) => RegistryPlugin | undefined,
  ) {
    super();
  }

  override find<K extends PluginKind>(kind: K, name: string): PluginDefinition<K, unknown> | undefined {
    if (kind !== 'registry') return this.real.find(kind, name);
    return this.registryOf(name) as unknown as PluginDefinition<K, unknown> | undefined;
  }

  override names(kind: PluginKind): string[] {
    return this.real.names(kind);
  }

  /** Also those that policies choose from while they run. */
  override [Symbol.iterator](): ReturnType<PluginCatalog[typeof Symbol.iterator]> {
    return this.real[Symbol.iterator]();
  }
}

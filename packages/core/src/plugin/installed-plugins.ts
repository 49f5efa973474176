import type { PluginKind, PluginKinds } from './define-plugin.js';

/** Plugins that policies use by name; they were made when the chassis was put together. */
export interface InstalledPlugins {
  /** @returns undefined when no plugin of that kind has the name */
  find<K extends PluginKind>(kind: K, name: string): PluginKinds[K] | undefined;
  /** Names of all plugins of a kind, for messages. */
  names(kind: PluginKind): readonly string[];
}

/** No plugins at all. */
export const NO_PLUGINS: InstalledPlugins = {
  find: () => undefined,
  names: () => [],
};

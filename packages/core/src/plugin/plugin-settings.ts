import type { Sections } from '../config/compose-sections.js';
import type { MeshDocument } from '../config/document.js';
import type { AnyPlugin, PluginDefinition, PluginKind } from './define-plugin.js';

/** Where the settings of a plugin stand: registries beside their common keys, all others under `plugin.settings`. */
export function settingsKey(plugin: { readonly kind: PluginKind; readonly name: string }): string {
  return plugin.kind === 'registry' ? `servicecomb.registry.${plugin.name}` : `plugin.settings.${plugin.name}`;
}

/** The sections of plugins that have settings, to be given to `loadConfiguration`. */
export function pluginSections(plugins: Iterable<AnyPlugin>): Sections {
  const sections: Record<string, Sections[string]> = {};
  for (const plugin of plugins) {
    if (plugin.configSchema !== undefined) sections[settingsKey(plugin)] = plugin.configSchema;
  }
  return sections;
}

/** The checked settings of a plugin; undefined for one without settings. */
export function pluginSettings<K extends PluginKind>(
  document: MeshDocument,
  plugin: PluginDefinition<K, unknown>,
): unknown {
  return plugin.configSchema === undefined ? undefined : document.section(settingsKey(plugin), plugin.configSchema);
}

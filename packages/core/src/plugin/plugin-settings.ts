import type { Sections } from '../config/compose-sections.js';
import type { MeshDocument } from '../config/document.js';
import { MeshError } from '../errors.js';
import type { AnyPlugin, PluginDefinition, PluginKind } from './define-plugin.js';

/** Where the settings of a plugin stand: registries beside their common keys, all others under `plugin.settings`. */
export function settingsKey(plugin: { readonly kind: PluginKind; readonly name: string }): string {
  return plugin.kind === 'registry' ? `servicecomb.registry.${plugin.name}` : `plugin.settings.${plugin.name}`;
}

/**
 * The sections of plugins that have settings, to be given to `loadConfiguration`.
 * @throws MeshError MESH_ERR_DUPLICATE_PLUGIN when two plugins of different kinds have the same name and different settings
 */
export function pluginSections(plugins: Iterable<AnyPlugin>): Sections {
  const sections: Record<string, Sections[string]> = {};
  for (const plugin of plugins) {
    if (plugin.configSchema === undefined) continue;
    const key = settingsKey(plugin);
    const taken = sections[key];
    if (taken !== undefined && taken !== plugin.configSchema) {
      throw new MeshError(
        'MESH_ERR_DUPLICATE_PLUGIN',
        `two plugins named '${plugin.name}' have different settings at ${key}; rename one, or give both the same configSchema`,
      );
    }
    sections[key] = plugin.configSchema;
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

import { MeshError } from '../errors.js';
import type { AnyPlugin, PluginDefinition, PluginKind } from './define-plugin.js';

/** Where a plugin comes from when nothing else is said. */
const BUILT_IN = 'Mesher itself';

interface Entry {
  readonly plugin: AnyPlugin;
  readonly origin: string;
}

/** The plugins that can be chosen by name. */
export class PluginCatalog {
  readonly #plugins = new Map<string, Entry>();

  /**
   * Adds a plugin; one that is there already, as the very same object, is not added again.
   * @param origin the module that it comes from, for messages
   * @throws MeshError MESH_ERR_DUPLICATE_PLUGIN when the name is taken within the kind
   */
  add(plugin: AnyPlugin, origin: string = BUILT_IN): void {
    const key = keyOf(plugin.kind, plugin.name);
    const known = this.#plugins.get(key);
    if (known === undefined) this.#plugins.set(key, { plugin, origin });
    else if (known.plugin !== plugin) {
      throw new MeshError(
        'MESH_ERR_DUPLICATE_PLUGIN',
        `there are two ${plugin.kind} plugins named '${plugin.name}', one from ${known.origin} and one from ${origin}; rename one`,
      );
    }
  }

  /** Makes `plugin` known under a second name: the module that it came from. */
  alias(plugin: AnyPlugin, name: string): void {
    this.#plugins.set(keyOf(plugin.kind, name), { plugin, origin: name });
  }

  find<K extends PluginKind>(kind: K, name: string): PluginDefinition<K, unknown> | undefined {
    return this.#plugins.get(keyOf(kind, name))?.plugin as unknown as PluginDefinition<K, unknown> | undefined;
  }

  /**
   * @param key the configuration key that names the plugin, for the message
   * @throws MeshError MESH_ERR_UNKNOWN_PLUGIN with the list of known names
   */
  get<K extends PluginKind>(kind: K, name: string, key: string): PluginDefinition<K, unknown> {
    const plugin = this.find(kind, name);
    if (plugin !== undefined) return plugin;
    const known = this.names(kind);
    throw new MeshError(
      'MESH_ERR_UNKNOWN_PLUGIN',
      `${key}: there is no ${kind} '${name}'; ${known.length === 0 ? 'none is known' : `known are ${known.join(', ')}`}, or name a module (./my-plugin.js, a package)`,
    );
  }

  /** The names within a kind, in the order of the alphabet. */
  names(kind: PluginKind): string[] {
    const prefix = keyOf(kind, '');
    return [...this.#plugins.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .sort();
  }

  /** Each plugin once, however many names it has. */
  [Symbol.iterator](): IterableIterator<AnyPlugin> {
    return new Set(Array.from(this.#plugins.values(), ({ plugin }) => plugin)).values();
  }
}

function keyOf(kind: PluginKind, name: string): string {
  return `${kind}/${name}`;
}

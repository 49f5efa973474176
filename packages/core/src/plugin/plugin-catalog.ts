import { MeshError } from '../errors.js';
import type { AnyPlugin, PluginDefinition, PluginKind } from './define-plugin.js';

/** The plugins that can be chosen by name. */
export class PluginCatalog {
  readonly #plugins = new Map<string, AnyPlugin>();

  /** @throws MeshError MESH_ERR_DUPLICATE_PLUGIN when the name is taken within the kind */
  add(plugin: AnyPlugin): void {
    const key = `${plugin.kind}/${plugin.name}`;
    if (this.#plugins.has(key)) {
      throw new MeshError(
        'MESH_ERR_DUPLICATE_PLUGIN',
        `there are two ${plugin.kind} plugins named '${plugin.name}'; rename one`,
      );
    }
    this.#plugins.set(key, plugin);
  }

  /** Makes `plugin` known under a second name: the module that it came from. */
  alias(plugin: AnyPlugin, name: string): void {
    this.#plugins.set(`${plugin.kind}/${name}`, plugin);
  }

  find<K extends PluginKind>(kind: K, name: string): PluginDefinition<K, unknown> | undefined {
    return this.#plugins.get(`${kind}/${name}`) as unknown as PluginDefinition<K, unknown> | undefined;
  }

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN with the list of known names */
  get<K extends PluginKind>(kind: K, name: string, key: string): PluginDefinition<K, unknown> {
    const plugin = this.find(kind, name);
    if (plugin !== undefined) return plugin;
    throw new MeshError(
      'MESH_ERR_UNKNOWN_PLUGIN',
      `${key}: there is no ${kind} '${name}'; known are ${this.names(kind).join(', ')}, or name a module (./my-plugin.js, a package)`,
    );
  }

  names(kind: PluginKind): string[] {
    const prefix = `${kind}/`;
    return [...this.#plugins.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  [Symbol.iterator](): IterableIterator<AnyPlugin> {
    return new Set(this.#plugins.values()).values();
  }
}

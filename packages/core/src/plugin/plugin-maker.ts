import type { MeshDocument } from '../config/document.js';
import type { CallProtocol } from '../invocation.js';
import type { RegistryChoice } from '../registry/choose-registry.js';
import type { Registry } from '../registry/contracts.js';
import type { DestinationResolver, SourceResolver } from '../resolver/contracts.js';
import { STANDING_KINDS, type PluginContext, type PluginKind, type PluginKinds } from './define-plugin.js';
import type { InstalledPlugins } from './installed-plugins.js';
import type { PluginCatalog } from './plugin-catalog.js';
import { pluginSettings } from './plugin-settings.js';

/** The name of the source resolver that is used when none is chosen. */
const DEFAULT_SOURCE_RESOLVER = 'default';

/** Makes what the configuration chooses, with the settings that it gives. */
export class PluginMaker {
  constructor(
    private readonly catalog: PluginCatalog,
    private readonly document: MeshDocument,
    private readonly context: PluginContext,
  ) {}

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN; whatever the plugin throws */
  async registry({ type, because }: RegistryChoice): Promise<Registry> {
    return await this.#make('registry', type ?? '', because);
  }

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN; whatever the plugins throw */
  async destinationResolvers(): Promise<Readonly<Record<CallProtocol, DestinationResolver>>> {
    const { http, grpc, tcp } = this.document.plugin.destinationResolver;
    const make = (name: string, protocol: CallProtocol): Promise<DestinationResolver> =>
      this.#make('destination-resolver', name, `plugin.destinationResolver.${protocol}`);
    return { http: await make(http, 'http'), grpc: await make(grpc, 'grpc'), tcp: await make(tcp, 'tcp') };
  }

  /** @throws MeshError MESH_ERR_UNKNOWN_PLUGIN; whatever the plugin throws */
  async sourceResolver(): Promise<SourceResolver> {
    const name = this.document.plugin.sourceResolver ?? DEFAULT_SOURCE_RESOLVER;
    return await this.#make('source-resolver', name, 'plugin.sourceResolver');
  }

  /**
   * Makes all plugins of those kinds that policies choose from while they run.
   * @throws whatever a plugin throws
   */
  async standing(): Promise<InstalledPlugins> {
    const made = new Map<string, unknown>();
    for (const plugin of this.catalog) {
      if (!STANDING_KINDS.some((kind) => kind === plugin.kind)) continue;
      made.set(`${plugin.kind}/${plugin.name}`, await this.#make(plugin.kind, plugin.name, 'plugins'));
    }
    return {
      find: <K extends PluginKind>(kind: K, name: string) => made.get(`${kind}/${name}`) as PluginKinds[K] | undefined,
      names: (kind) =>
        [...made.keys()].filter((key) => key.startsWith(`${kind}/`)).map((key) => key.slice(kind.length + 1)),
    };
  }

  async #make<K extends PluginKind>(kind: K, name: string, key: string): Promise<PluginKinds[K]> {
    const plugin = this.catalog.get(kind, name, key);
    return await plugin.create(pluginSettings(this.document, plugin), this.context);
  }
}

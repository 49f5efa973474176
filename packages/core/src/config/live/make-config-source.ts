import type { PluginContext } from '../../plugin/define-plugin.js';
import type { PluginCatalog } from '../../plugin/plugin-catalog.js';
import { pluginSettings } from '../../plugin/plugin-settings.js';
import { LateIpIndex } from '../../registry/ip-index.js';
import type { MeshDocument } from '../document.js';
import { configClientSchema } from '../sections/config-client.js';
import type { ConfigSource } from './config-source.js';

/** Other names of config sources, as users have them. */
const ALIASES: Readonly<Record<string, string>> = { 'servicecomb-kie': 'kie' };

/** Config centers of go-chassis for which no source exists; a plugin may bring one. */
const WITHOUT_SOURCE: readonly string[] = ['config_center', 'apollo'];

/** The source that the configuration chooses, or why there is none. */
export interface ChosenSource {
  readonly source: ConfigSource | undefined;
  /** What the user should know: a config center that this version cannot ask. */
  readonly note: string | undefined;
}

/**
 * Makes the config source that `servicecomb.config.client` chooses.
 * @param document made from files and environment alone
 * @throws MeshError MESH_ERR_UNKNOWN_PLUGIN for a type that nobody knows; whatever the plugin throws
 */
export async function makeConfigSource(
  document: MeshDocument,
  catalog: PluginCatalog,
  context: Pick<PluginContext, 'ports' | 'logger' | 'confDir'>,
): Promise<ChosenSource> {
  const client = document.section('servicecomb.config.client', configClientSchema);
  if (!client.enabled || client.serverUri.length === 0) return { source: undefined, note: undefined };
  const type = ALIASES[client.type] ?? client.type;
  if (catalog.find('config-source', type) === undefined && WITHOUT_SOURCE.includes(type)) {
    const known = catalog.names('config-source').join(', ');
    const note = `servicecomb.config.client.type: there is no config source '${type}' (there is ${known}); files count alone`;
    return { source: undefined, note };
  }
  const plugin = catalog.get('config-source', type, 'servicecomb.config.client.type');
  const { name, app, version, environment } = document.service;
  const source = await plugin.create(pluginSettings(document, plugin), {
    ...context,
    ipIndex: new LateIpIndex(),
    registryAddresses: [],
    configClient: {
      addresses: client.serverUri,
      watches: client.refreshMode === undefined ? undefined : client.refreshMode === 0,
      refreshIntervalMs: client.refreshInterval,
      service: { name, app, version, environment: environment ?? '' },
    },
  });
  return { source, note: undefined };
}

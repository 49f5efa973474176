import { definePlugin, type PluginDefinition } from '@mesher/core';
import { ConsulError } from '../client/consul-error.js';
import { consulConfigSchema, type ConsulConfigSettings } from './settings.js';

/** The config source `consul`; `servicecomb.config.client` chooses it and says where it is. */
export const consulSource: PluginDefinition<'config-source', ConsulConfigSettings> = definePlugin({
  kind: 'config-source',
  name: 'consul',
  configSchema: consulConfigSchema,
  create: async (settings: ConsulConfigSettings, { configClient, confDir, ports, logger }) => {
    if (configClient === undefined) {
      throw new ConsulError('CONSUL_SETTING', 'the config source consul was made without servicecomb.config.client');
    }
    // A sidecar without it loads nothing of Consul.
    const [{ openClient }, { ConsulSource }, { placesFor }] = await Promise.all([
      import('../client/open-client.js'),
      import('./consul-source.js'),
      import('./places.js'),
    ]);
    // A blocking query costs no more than a question at intervals.
    const { addresses, watches = true, refreshIntervalMs, service } = configClient;
    const places = placesFor(settings.places, service);
    const client = await openClient(
      { options: settings, addresses, maxHeld: places.length },
      { ports, confDir, logger },
    );
    const minIntervalMs = settings.minInterval;
    return new ConsulSource(client, places, ports, logger, { watches, refreshIntervalMs, minIntervalMs });
  },
});

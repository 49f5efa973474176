import { definePlugin, type PluginDefinition } from '@mesher/core';
import { KieError } from './kie-error.js';
import { kieSchema, type KieSettings } from './settings.js';

/** The config source `kie`; `servicecomb.config.client` chooses it and says where it is. */
export const kieSource: PluginDefinition<'config-source', KieSettings> = definePlugin({
  kind: 'config-source',
  name: 'kie',
  configSchema: kieSchema,
  create: async (settings: KieSettings, { configClient, confDir, ports, logger }) => {
    if (configClient === undefined) {
      throw new KieError('KIE_SETTING', 'the Kie client was made without servicecomb.config.client.serverUri; set it');
    }
    // axios is large, and most sidecars have no config center.
    const [{ KieClient }, { KieSource }, { readTls }, { labelSets }] = await Promise.all([
      import('./kie-client.js'),
      import('./kie-source.js'),
      import('./tls-files.js'),
      import('./label-sets.js'),
    ]);
    const client = new KieClient(
      configClient.addresses,
      settings,
      await readTls(settings, confDir),
      confDir,
      ports.timers,
    );
    return new KieSource(client, labelSets(configClient.service, settings.byVersion), ports, logger, {
      // As go-chassis does: a watch keeps one connection per set of labels open.
      watches: configClient.watches ?? false,
      refreshIntervalMs: configClient.refreshIntervalMs,
      minIntervalMs: settings.minInterval,
      confirmAfterMs: settings.confirmAfter,
      fullRefreshMs: settings.fullRefresh,
    });
  },
});

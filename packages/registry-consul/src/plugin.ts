import { definePlugin, type PluginDefinition } from '@mesher/core';
import { ConsulError } from './client/consul-error.js';
import { consulSchema, type ConsulOptions } from './options.js';

/** The registry `consul`; `servicecomb.registry` and, below it, `consul` say where it is and how it is asked. */
export const consulRegistry: PluginDefinition<'registry', ConsulOptions> = definePlugin({
  kind: 'registry',
  name: 'consul',
  configSchema: consulSchema,
  create: async (options: ConsulOptions, { registryClient, ...context }) => {
    if (registryClient === undefined) {
      throw new ConsulError('CONSUL_SETTING', 'the registry consul was made without servicecomb.registry');
    }
    // A sidecar with another registry loads nothing of Consul.
    const { createConsulRegistry } = await import('./create-consul-registry.js');
    return await createConsulRegistry(options, registryClient, context);
  },
});

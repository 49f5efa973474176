import { definePlugin, type PluginDefinition, type RegistryClient } from '@mesher/core';
import { ConsulError } from './client/consul-error.js';
import { consulSchema, type ConsulOptions } from './options.js';

/** The registry `consul`; `servicecomb.registry` and, below it, `consul` say where it is and how it is asked. */
export const consulRegistry: PluginDefinition<'registry', ConsulOptions> = definePlugin({
  kind: 'registry',
  name: 'consul',
  configSchema: consulSchema,
  create: async (options: ConsulOptions, { registryClient, ...context }) => {
    // A sidecar with another registry loads nothing of Consul.
    const { createConsulRegistry } = await import('./create-consul-registry.js');
    return await createConsulRegistry(options, given(registryClient), context);
  },
  check: async (options: ConsulOptions, { registryClient, ...context }) => {
    const { checkConsulSettings } = await import('./create-consul-registry.js');
    await checkConsulSettings(options, given(registryClient), context);
  },
});

function given(client: RegistryClient | undefined): RegistryClient {
  if (client !== undefined) return client;
  throw new ConsulError('CONSUL_SETTING', 'the registry consul was made without servicecomb.registry');
}

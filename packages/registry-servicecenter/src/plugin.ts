import { definePlugin, type PluginDefinition, type RegistryClient } from '@mesher/core';
import { ServiceCenterError } from './client/service-center-error.js';
import { serviceCenterSchema, type ServiceCenterOptions } from './options.js';

/** The registry `servicecenter`; `servicecomb.registry` says where it is and how it is asked. */
export const serviceCenterRegistry: PluginDefinition<'registry', ServiceCenterOptions> = definePlugin({
  kind: 'registry',
  name: 'servicecenter',
  configSchema: serviceCenterSchema,
  create: async (options: ServiceCenterOptions, { registryClient, ...context }) => {
    // axios and ws are large, and a sidecar with another registry needs neither.
    const { createServiceCenterRegistry } = await import('./create-service-center-registry.js');
    return await createServiceCenterRegistry(options, given(registryClient), context);
  },
  check: async (options: ServiceCenterOptions, { registryClient, ...context }) => {
    const { checkServiceCenterSettings } = await import('./create-service-center-registry.js');
    await checkServiceCenterSettings(options, given(registryClient), context);
  },
});

function given(client: RegistryClient | undefined): RegistryClient {
  if (client !== undefined) return client;
  throw new ServiceCenterError('SC_SETTING', 'the registry servicecenter was made without servicecomb.registry');
}

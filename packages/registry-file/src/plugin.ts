import { fileURLToPath } from 'node:url';
import { definePlugin, MeshError, type Infer } from '@mesher/core';
import { createFileRegistry, type FileRegistry } from './create-file-registry.js';
import { fileRegistrySchema } from './options.js';

/**
 * The registry `file`: a directory, no server. The default of the sidecar when no registry is configured.
 * Its directory is `servicecomb.registry.address`, its settings are `servicecomb.registry.file`.
 */
export const fileRegistry = definePlugin<'registry', Infer<typeof fileRegistrySchema>>({
  kind: 'registry',
  name: 'file',
  configSchema: fileRegistrySchema,
  create: ({ pollInterval, debounce, confirmEmpty, lease, ...limits }, context): FileRegistry => {
    const times = { pollIntervalMs: pollInterval, debounceMs: debounce, confirmEmptyMs: confirmEmpty, leaseMs: lease };
    return createFileRegistry({ address: directoryOf(context.registryAddresses), ...times, ...limits }, context);
  },
});

/** @throws MeshError `FILE_REGISTRY_SETTING` when the addresses are not one directory */
function directoryOf(addresses: readonly string[]): string | undefined {
  const [address, ...more] = addresses;
  if (more.length > 0) {
    throw new MeshError(
      'FILE_REGISTRY_SETTING',
      `servicecomb.registry.address must name one directory for the registry 'file', not ${addresses.length}: ${addresses.join(', ')}`,
    );
  }
  if (address?.startsWith('file://') === true) return fileURLToPath(address);
  if (address !== undefined && /^\w+:\/\//.test(address)) {
    throw new MeshError(
      'FILE_REGISTRY_SETTING',
      `servicecomb.registry.address is ${address}, but the registry 'file' needs a directory; is servicecomb.registry.type right?`,
    );
  }
  return address;
}

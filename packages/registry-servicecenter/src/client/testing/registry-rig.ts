import {
  loadConfiguration,
  registryClientOf,
  schemaDefaults,
  systemPorts,
  type PluginContext,
  type Ports,
  type ServiceSnapshot,
} from '@mesher/core';
import { OpenedRegistry, RecordingLogger } from '@mesher/core/testing';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServiceCenterRegistry, type ServiceCenterRegistry } from '../../create-service-center-registry.js';
import { serviceCenterSchema, type ServiceCenterOptions } from '../../options.js';

export interface RigSettings {
  readonly address: string;
  /** Name of the own service. */
  readonly service?: string;
  /** More of `chassis.yaml`, as lines. */
  readonly yaml?: string;
  /** The lines say where service-center is. */
  readonly replacesAddress?: boolean;
  readonly options?: Partial<ServiceCenterOptions>;
  /** Below what a configuration may say. */
  readonly refreshIntervalMs?: number;
  readonly ports?: Ports;
  /** Called with the folder of the configuration before anything is made. */
  readonly prepare?: (confDir: string) => Promise<void>;
}

/** Pauses of tests: short, but not a busy loop. */
const FAST: Partial<ServiceCenterOptions> = {
  hintDelay: 1,
  minRetryDelay: 10,
  maxRetryDelay: 50,
  probeInterval: 10,
  reconnectSpread: 10,
  quarantine: 10,
};

/** The registry as a configuration makes it, for the service `caller` of the application `shop`. */
export class RegistryRig extends OpenedRegistry<ServiceCenterRegistry> {
  static async open(settings: RigSettings): Promise<RegistryRig> {
    const confDir = await mkdtemp(join(tmpdir(), 'mesher-sc-'));
    const { address, service = 'caller', yaml = '' } = settings;
    const identity = `servicecomb.service: { name: ${service}, app: shop, version: 1.0.0, environment: testing }\n`;
    await writeFile(
      join(confDir, 'chassis.yaml'),
      settings.replacesAddress === true ? yaml : `servicecomb.registry.address: ${address}\n${yaml}`,
    );
    await writeFile(join(confDir, 'microservice.yaml'), identity);
    await settings.prepare?.(confDir);
    const { document, errors } = await loadConfiguration({
      confDir,
      env: {},
      sections: { 'servicecomb.registry.servicecenter': serviceCenterSchema },
    });
    if (document === undefined) throw new Error(`the configuration is wrong: ${JSON.stringify(errors)}`);
    const logger = new RecordingLogger();
    const context: Pick<PluginContext, 'ports' | 'logger' | 'confDir'> = {
      ports: settings.ports ?? systemPorts(),
      logger,
      confDir,
    };
    const options = { ...schemaDefaults(serviceCenterSchema), ...FAST, ...settings.options };
    const client = registryClientOf(document);
    const { refreshIntervalMs = client.registry.refreshInterval } = settings;
    const registry = await createServiceCenterRegistry(
      options,
      { ...client, registry: { ...client.registry, refreshInterval: refreshIntervalMs } },
      context,
    );
    return new RegistryRig(registry, logger, confDir);
  }
}

/** Ids of the instances, sorted. */
export function idsOf({ instances }: ServiceSnapshot): readonly string[] {
  return instances.map(({ instanceId }) => instanceId).sort();
}

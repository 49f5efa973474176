import {
  loadConfiguration,
  registryClientOf,
  schemaDefaults,
  systemPorts,
  type Ports,
  type ServiceSnapshot,
} from '@mesher/core';
import { OpenedRegistry, RecordingLogger } from '@mesher/core/testing';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsulRegistry, type ConsulRegistry } from '../../create-consul-registry.js';
import { consulSchema, type ConsulOptions } from '../../options.js';

export type { Snapshots } from '@mesher/core/testing';

export interface RigSettings {
  readonly address: string;
  /** More of `chassis.yaml`, as lines. */
  readonly yaml?: string;
  readonly options?: Partial<ConsulOptions>;
  /** Below what a configuration may say. */
  readonly refreshIntervalMs?: number;
  readonly ports?: Ports;
}

/** Pauses of tests: short, but not a busy loop. */
const FAST: Partial<ConsulOptions> = {
  minInterval: 5,
  minRetryDelay: 10,
  maxRetryDelay: 50,
  probeInterval: 10,
  probeTimeout: 500,
};

/** The registry as a configuration makes it, for the service `caller` of the application `shop`. */
export class RegistryRig extends OpenedRegistry<ConsulRegistry> {
  static async open(settings: RigSettings): Promise<RegistryRig> {
    const confDir = await mkdtemp(join(tmpdir(), 'mesher-consul-'));
    const { address, yaml = '' } = settings;
    await writeFile(
      join(confDir, 'chassis.yaml'),
      `servicecomb.registry.type: consul\nservicecomb.registry.address: ${address}\n${yaml}`,
    );
    const identity = 'servicecomb.service: { name: caller, app: shop, version: 1.0.0, environment: testing }\n';
    await writeFile(join(confDir, 'microservice.yaml'), identity);
    const { document, errors } = await loadConfiguration({
      confDir,
      env: {},
      sections: { 'servicecomb.registry.consul': consulSchema },
    });
    if (document === undefined) throw new Error(`the configuration is wrong: ${JSON.stringify(errors)}`);
    const logger = new RecordingLogger();
    const configured = document.section('servicecomb.registry.consul', consulSchema);
    const defaults = schemaDefaults(consulSchema);
    const changed = Object.entries(configured).filter(
      ([name, value]) => value !== defaults[name as keyof ConsulOptions],
    );
    const options = { ...defaults, ...FAST, ...Object.fromEntries(changed), ...settings.options };
    const client = registryClientOf(document);
    const { refreshIntervalMs = client.registry.refreshInterval } = settings;
    const registry = await createConsulRegistry(
      options,
      { ...client, registry: { ...client.registry, refreshInterval: refreshIntervalMs } },
      { ports: settings.ports ?? systemPorts(), logger, confDir },
    );
    return new RegistryRig(registry, logger, confDir);
  }
}

/** Ids of the instances that take calls, sorted. */
export function idsOf({ instances }: ServiceSnapshot): readonly string[] {
  return instances
    .filter(({ status }) => status === 'UP' || status === 'TESTING')
    .map(({ instanceId }) => instanceId)
    .sort();
}

import {
  loadConfiguration,
  makeInstance,
  registryClientOf,
  schemaDefaults,
  systemPorts,
  type Instance,
  type Lease,
  type Ports,
  type ServiceSnapshot,
} from '@mesher/core';
import { RecordingLogger } from '@mesher/core/testing';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsulRegistry, type ConsulRegistry } from '../../create-consul-registry.js';
import { consulSchema, type ConsulOptions } from '../../options.js';

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
export class RegistryRig {
  readonly #abort = new AbortController();

  private constructor(
    readonly registry: ConsulRegistry,
    readonly logger: RecordingLogger,
    private readonly confDir: string,
  ) {}

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

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Registers an instance at `127.0.0.1:port`. */
  register(facts: Partial<Instance> = {}, port = 8080): Promise<Lease> {
    const addresses = new Map([['rest', { host: '127.0.0.1', port, tls: false }]]);
    const self = { service: 'caller', app: 'shop', version: '1.0.0', instanceId: '', addresses, ...facts };
    return this.registry.registrator.register(makeInstance(self), this.signal);
  }

  watch(service: string): Snapshots {
    return new Snapshots(this.registry.discovery.watch({ service }, this.signal));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.registry.discovery.close();
    await rm(this.confDir, { recursive: true, force: true });
  }
}

/** The snapshots of one watch. */
export class Snapshots {
  readonly #iterator: AsyncIterator<ServiceSnapshot>;

  constructor(source: AsyncIterable<ServiceSnapshot>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** @throws Error when there is none any more */
  async next(): Promise<ServiceSnapshot> {
    const { value, done } = await this.#iterator.next();
    if (done === true) throw new Error('the watch has ended');
    return value;
  }

  /** The next one that fits. */
  async until(fits: (snapshot: ServiceSnapshot) => boolean): Promise<ServiceSnapshot> {
    for (;;) {
      const snapshot = await this.next();
      if (fits(snapshot)) return snapshot;
    }
  }

  async end(): Promise<void> {
    await this.#iterator.return?.();
  }
}

/** Ids of the instances that take calls, sorted. */
export function idsOf({ instances }: ServiceSnapshot): readonly string[] {
  return instances
    .filter(({ status }) => status === 'UP' || status === 'TESTING')
    .map(({ instanceId }) => instanceId)
    .sort();
}

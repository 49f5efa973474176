import { FaultProxy, SilentApplications, SnapshotLog } from '@mesher/core/testing';
import { RegistryRig, type RigSettings } from '../../client/testing/registry-rig.js';
import { ServiceCenterServer, type Asked, type ServiceCenterOptions } from '../../testing/index.js';

export { eventually } from '@mesher/core/testing';

/** Time for an answer, unless a test says otherwise. */
export const ANSWER_MS = 250;

export const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');
export const isRegistration = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/instances');
export const isHeartbeat = ({ method, path }: Asked): boolean => method === 'PUT' && path.endsWith('/heartbeat');

/** How often it was told that its registration is lost, and registered again. */
export function timesLost({ registry }: RegistryRig): number {
  return registry.discovery.state().counts?.['re-registered'] ?? 0;
}

/** All snapshots of one service. */
export class Watched extends SnapshotLog {
  constructor(rig: RegistryRig, service = 'world') {
    super(rig.registry.discovery.watch({ service }, rig.signal));
  }
}

/** A service-center behind a fault proxy, and clients that know it by the address of the proxy only. */
export class FaultRig {
  readonly #rigs: RegistryRig[] = [];
  readonly #proxies: FaultProxy[] = [];
  readonly #applications = new SilentApplications();

  private constructor(
    public center: ServiceCenterServer,
    readonly proxy: FaultProxy,
  ) {
    this.#proxies.push(proxy);
  }

  static async start(options: ServiceCenterOptions = {}): Promise<FaultRig> {
    const center = await ServiceCenterServer.start(options);
    return new FaultRig(center, await FaultProxy.start({ port: center.port }));
  }

  /** A registry as a configuration makes it, with an answer awaited for {@link ANSWER_MS}, and services looked at every 15 ms. */
  async registry(settings: Partial<RigSettings> & { readonly timeout?: string } = {}): Promise<RegistryRig> {
    const {
      address = this.proxy.url,
      yaml = '',
      refreshIntervalMs = 15,
      timeout = `${ANSWER_MS}ms`,
      ...more
    } = settings;
    const all = `servicecomb.registry.timeout: ${timeout}\nservicecomb.registry.heartbeat.interval: 5s\n${yaml}`;
    const rig = await RegistryRig.open({ ...more, address, refreshIntervalMs, yaml: all });
    this.#rigs.push(rig);
    return rig;
  }

  /** Another way to the same service-center. */
  async anotherProxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start({ port: this.center.port });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Instances of `world` with these ids, each at an application of its own that accepts connections. @returns the serviceId */
  async seed(...ids: readonly string[]): Promise<string> {
    const instances = [];
    for (const instanceId of ids) {
      instances.push({ instanceId, endpoints: [`rest://127.0.0.1:${await this.application()}`] });
    }
    return this.center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances }).serviceId;
  }

  /** Something that accepts connections. @returns its port */
  async application(): Promise<number> {
    return await this.#applications.open();
  }

  /** Ends service-center and starts it again, elsewhere behind the same address. */
  async restart(memory: 'keeps its memory' | 'loses its memory', options: ServiceCenterOptions = {}): Promise<void> {
    const state = this.center.registry.dump();
    await this.proxy.kill();
    await this.center.close();
    this.center = await ServiceCenterServer.start({ ...options, ...(memory === 'keeps its memory' ? { state } : {}) });
    this.proxy.target = { port: this.center.port };
    await this.proxy.heal();
  }

  /** Under which the caller is registered; empty when it is not. */
  get callerId(): string {
    const services = this.center.registry.tenant('default/default').services.list();
    return services.find(({ serviceName }) => serviceName === 'caller')?.serviceId ?? '';
  }

  /** What is registered of the caller. */
  get registered(): readonly { readonly instanceId: string; readonly status: string }[] {
    return this.center.registry.tenant('default/default').instances.list(this.callerId);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.heal()));
    await Promise.all(this.#rigs.map((rig) => rig.close()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await this.center.close();
    await this.#applications.close();
  }
}

/** A new rig for each test of the suite. */
export function useFaultRig(options: ServiceCenterOptions = {}): () => FaultRig {
  let rig: FaultRig | undefined;
  beforeEach(async () => {
    rig = await FaultRig.start(options);
  });
  afterEach(async () => {
    await rig?.close();
    rig = undefined;
  });
  return () => {
    if (rig === undefined) throw new Error('a rig is there only while a test runs');
    return rig;
  };
}

import { FaultProxy, SilentApplications, SnapshotLog } from '@mesher/core/testing';
import { RegistryRig, type RigSettings } from '../../client/testing/registry-rig.js';
import { ConsulServer, type Asked, type ConsulServerOptions, type Status } from '../../testing/index.js';

export { eventually } from '@mesher/core/testing';

export const isQuestion = ({ path }: Asked): boolean => path.startsWith('/v1/health/service/');
export const isRegistration = ({ path }: Asked): boolean => path === '/v1/agent/service/register';
export const isHeartbeat = ({ path }: Asked): boolean => path.startsWith('/v1/agent/check/');

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

/** An agent of Consul behind a fault proxy, and clients that know it by the address of the proxy only. */
export class FaultRig {
  readonly #rigs: RegistryRig[] = [];
  readonly #proxies: FaultProxy[] = [];
  readonly #applications = new SilentApplications();

  private constructor(
    public consul: ConsulServer,
    readonly proxy: FaultProxy,
  ) {
    this.#proxies.push(proxy);
  }

  static async start(options: ConsulServerOptions = {}): Promise<FaultRig> {
    const consul = await ConsulServer.start(options);
    return new FaultRig(consul, await FaultProxy.start({ port: consul.port }));
  }

  /** A registry as a configuration makes it. Consul holds answers for 100 ms, and is given up 250 ms later. */
  async registry(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const { address = this.proxy.url, options, ...more } = settings;
    const times = { wait: 100, requestTimeout: 250, ttl: 15_000, stopTimeout: 150 };
    const rig = await RegistryRig.open({ ...more, address, options: { ...times, ...options } });
    this.#rigs.push(rig);
    return rig;
  }

  /** Another way to the same agent. */
  async anotherProxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start({ port: this.consul.port });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Instances of `world` with these ids, each at an application of its own that accepts connections. */
  async seed(...ids: readonly string[]): Promise<void> {
    for (const ID of ids) this.seedAt(ID, await this.application());
  }

  seedAt(ID: string, Port: number, Status: Status = 'passing'): void {
    this.consul.seed({ Name: 'world', ID, Address: '127.0.0.1', Port, Check: { TTL: '1h', Status } });
  }

  /** Something that accepts connections. @returns its port */
  async application(): Promise<number> {
    return await this.#applications.open();
  }

  /** Nobody accepts connections any more. */
  async stopApplications(): Promise<void> {
    await this.#applications.close();
  }

  /** Ends the agent and starts it again without its memory, elsewhere behind the same address. */
  async restart(): Promise<void> {
    await this.proxy.kill();
    await this.consul.close();
    this.consul = await ConsulServer.start();
    this.proxy.target = { port: this.consul.port };
    await this.proxy.heal();
  }

  count(fits: (asked: Asked) => boolean): number {
    return this.consul.asked.filter(fits).length;
  }

  /** Resolves once the service was asked for so many more times. */
  async untilAskedAgain(times = 2): Promise<void> {
    await this.consul.untilAsked(isQuestion, this.count(isQuestion) + times);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.heal()));
    await Promise.all(this.#rigs.map((rig) => rig.close()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await this.consul.close();
    await this.stopApplications();
  }
}

/** A new rig for each test of the suite. */
export function useFaultRig(options: ConsulServerOptions = {}): () => FaultRig {
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

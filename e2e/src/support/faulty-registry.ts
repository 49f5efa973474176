import { ConsulServer } from '@mesher/registry-consul/testing';
import { FaultProxy, FAULT_MODES } from '@mesher/core/testing';
import { Consul } from './consul.js';
import { eventually } from './eventually.js';
import { SteadyCalls } from './load.js';
import { MesherRegistry } from './mesher-registry.js';
import type { Scene } from './scene.js';
import { ServiceCenter } from './service-center.js';
import type { Settings, Sidecar } from './sidecar.js';

/** A registry with a server, as the tests of faults start it. */
export interface RegistryServer {
  readonly port: number;
  /** Loses everything, as a process that is killed and started again without its data. */
  loseAll(): Promise<void>;
  close(): Promise<void>;
}

/** A kind of registry: how it is started, and how a sidecar is told of it. */
export interface RegistryKind {
  readonly name: string;
  start(scene: Scene): Promise<RegistryServer>;
  /** Short times, so that a fault is noticed within a second or so. */
  settings(url: string): Settings;
  /** Whether the registry, asked at its own port, has given up every instance for its silence. Left out where leases last 20 s and more. */
  leasesEnded?(port: number): Promise<boolean>;
  /** Makes a sidecar wait for an answer for longer than any test takes. */
  readonly patient: Settings;
}

const QUICK = { minRetryDelay: '20ms', maxRetryDelay: '200ms' };

export const SERVICE_CENTER: RegistryKind = {
  name: 'service-center',
  start: async (scene) => {
    const registry = await MesherRegistry.start(scene);
    return {
      port: registry.port,
      loseAll: async () => {
        await registry.process.kill();
        await registry.start();
      },
      close: async () => void (await registry.process.kill()),
    };
  },
  settings: (url) => ({
    'servicecomb.registry': {
      ...{ type: 'servicecenter', address: url, watch: true, timeout: '300ms', refreshInterval: '1s' },
      heartbeat: { interval: '5s' },
      servicecenter: {
        ...QUICK,
        reconnectSpread: '100ms',
        quarantine: '200ms',
        fullRefresh: '1s',
        probeInterval: '200ms',
      },
    },
  }),
  patient: { 'servicecomb.registry.registrator.timeout': '1m', 'servicecomb.registry.serviceDiscovery.timeout': '1m' },
};

export const CONSUL: RegistryKind = {
  name: 'Consul',
  start: async () => {
    const consul = await ConsulServer.start();
    return {
      port: consul.port,
      loseAll: async () => {
        consul.forget(1);
        consul.dropConnections();
      },
      close: async () => await consul.close(),
    };
  },
  settings: (url) => ({
    'servicecomb.registry': {
      ...{ type: 'consul', address: url },
      consul: { ...QUICK, wait: '1s', requestTimeout: '300ms', minInterval: '50ms', ttl: '2s', probeInterval: '200ms' },
    },
  }),
  leasesEnded: async (port) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/agent/checks`);
    const checks = Object.values((await answer.json()) as Record<string, { readonly Status: string }>);
    return checks.length > 0 && checks.every(({ Status }) => Status === 'critical');
  },
  patient: { 'servicecomb.registry.consul.stopTimeout': '1m' },
};

/** The same with the server that people run. */
export const REAL_SERVICE_CENTER: RegistryKind = {
  ...SERVICE_CENTER,
  name: 'a real service-center',
  start: async (scene) => {
    const center = await ServiceCenter.start(scene);
    return {
      port: center.port,
      loseAll: async () => {
        await center.loseState();
        await center.start();
      },
      close: async () => void (await center.kill()),
    };
  },
};

/** The same with the agent that people run, in development mode. */
export const REAL_CONSUL: RegistryKind = {
  ...CONSUL,
  name: 'a real Consul',
  start: async (scene) => {
    const consul = await Consul.start(scene);
    return {
      port: consul.port,
      loseAll: async () => {
        await consul.kill();
        await consul.start();
      },
      close: async () => void (await consul.kill()),
    };
  },
};

/**
 * Two instances of `world`, each with a sidecar, and a sidecar that calls them all the time; all three know the registry by the address
 * of a proxy that makes faults.
 */
export class FaultyRegistry {
  readonly calls: SteadyCalls;

  private constructor(
    private readonly server: RegistryServer,
    private readonly kind: RegistryKind,
    readonly proxy: FaultProxy,
    readonly caller: Sidecar,
    readonly providers: readonly Sidecar[],
  ) {
    // Some hundred calls per second are enough to meet every moment of a fault.
    this.calls = new SteadyCalls('http://world/', caller.outbound, 5);
  }

  static async start(scene: Scene, kind: RegistryKind): Promise<FaultyRegistry> {
    const server = await kind.start(scene);
    const proxy = await FaultProxy.start({ port: server.port });
    const chassis = kind.settings(proxy.url);
    const providers: Sidecar[] = [];
    for (const name of ['first', 'second']) {
      providers.push(await scene.sidecar({ service: 'world', app: await scene.app({ name }), chassis }));
    }
    const caller = await scene.sidecar({ service: 'hello', host: 'none', chassis });
    await eventually('both instances are known', async () => {
      await caller.call('http://world/');
      return (await caller.instances('world')).length === 2;
    });
    return new FaultyRegistry(server, kind, proxy, caller, providers);
  }

  async freshness(of: Sidecar = this.caller): Promise<string> {
    return (await of.services()).registries[0]?.freshness ?? 'none';
  }

  /** Resolves once both instances are listed, the registry can be asked by all, and each got calls since. */
  async untilWell(): Promise<void> {
    await eventually('the registry can be asked again', async () => (await this.freshness()) === 'fresh');
    await eventually('both instances are known', async () => (await this.caller.instances('world')).length === 2);
    await this.untilCalled();
  }

  /** Resolves once so many more calls were answered, some by each instance. */
  async untilCalled(times = 60): Promise<void> {
    const from = this.calls.names.length;
    await eventually(`${times} more calls are answered, by both`, () => {
      const names = this.calls.names.slice(from);
      return names.length >= times && new Set(names).size === 2;
    });
  }

  /** One of {@link FAULT_MODES}; who refuses has ended its connections before, as a process that is gone. */
  async set(mode: string): Promise<void> {
    if (mode === 'refuse') await this.proxy.kill();
    else await this.proxy.set(FAULT_MODES[mode] ?? {});
  }

  async leasesEnded(): Promise<boolean> {
    return (await this.kind.leasesEnded?.(this.server.port)) ?? false;
  }

  async loseAll(): Promise<void> {
    await this.server.loseAll();
  }

  async close(): Promise<void> {
    await this.calls.stop();
    await this.proxy.close();
    await this.server.close();
  }
}

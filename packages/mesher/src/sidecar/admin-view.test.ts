import { expect } from 'chai';
import type { AdminSources, EndpointView, ServiceView } from '@mesher/admin';
import { Chassis, definePlugin, type Instance } from '@mesher/core';
import { ScriptedDiscovery, fakePorts, httpInstance, instanceAt, parsePrometheusText } from '@mesher/core/testing';
import { ProxyServer } from '@mesher/proxy';
import { loadFiles } from '../testing/conf-folder.js';
import { adminSources } from './admin-view.js';

/** A chassis over a scripted registry, shown to the admin API; nothing listens. */
class Shown {
  drains = 0;
  isReady = true;

  private constructor(
    readonly discovery: ScriptedDiscovery,
    readonly chassis: Chassis,
    readonly ports: ReturnType<typeof fakePorts>,
    private readonly proxy: ProxyServer,
    readonly sources: AdminSources,
  ) {}

  static async open(chassisYaml = ''): Promise<Shown> {
    const discovery = new ScriptedDiscovery();
    const ports = fakePorts();
    const loaded = await loadFiles({ 'chassis.yaml': `servicecomb.registry.type: scripted\n${chassisYaml}` });
    const { document } = loaded.configuration;
    if (document === undefined) throw new Error('the configuration is wrong');
    const registry = { discovery, registrator: undefined };
    loaded.catalog.add(definePlugin({ kind: 'registry', name: 'scripted', create: () => registry }));
    const chassis = await Chassis.create({ document, confDir: '.', catalog: loaded.catalog, ports });
    const proxy = new ProxyServer({ ports });
    const shown: Shown = new Shown(
      discovery,
      chassis,
      ports,
      proxy,
      adminSources({
        ...{ chassis, proxy, ports, configuration: () => ({ hash: 'abc' }) },
        readiness: () => ({ ready: shown.isReady, reasons: shown.isReady ? [] : ['the registry is silent'] }),
        drain: () => void shown.drains++,
      }),
    );
    return shown;
  }

  /** Lets the directory follow a service with these instances. */
  async follow(service: string, instances: readonly Instance[]): Promise<void> {
    this.discovery.publish(
      service,
      instances.map((instance) => ({ ...instance, service })),
    );
    await this.chassis.directory.whenKnown(service);
  }

  service(name: string): ServiceView | undefined {
    return this.sources.services().services.find(({ service }) => service === name);
  }

  endpoints(name: string): EndpointView[] {
    return (this.service(name)?.instances ?? []).flatMap(({ endpoints }) => endpoints);
  }

  async close(): Promise<void> {
    this.proxy.close();
    await this.chassis.close();
  }
}

describe('what the admin API shows of a sidecar', () => {
  let shown: Shown;
  beforeEach(async () => {
    shown = await Shown.open();
  });
  afterEach(async () => {
    await shown.close();
  });

  it('is alive whatever else, ready when the sidecar says so, and drains when it is asked to', () => {
    shown.isReady = false;
    expect(shown.sources.live()).to.deep.equal({ ready: true, reasons: [] });
    expect(shown.sources.ready()).to.deep.equal({ ready: false, reasons: ['the registry is silent'] });
    shown.sources.drain();
    expect(shown.drains).to.equal(1);
  });

  it('names the service and its version', () => {
    expect(shown.sources.health()).to.deep.equal({ serviceName: 'world', version: '1.2.3', status: 'green' });
    expect(shown.sources.version().node).to.equal(process.version);
    expect(shown.sources.version().version).to.match(/^\d+\.\d+\.\d+/);
  });

  it('has a page of metrics with the numbers of calls, connections and the registry', async () => {
    await shown.follow('orders', [httpInstance('10.0.0.1:80')]);
    const page = parsePrometheusText((await shown.sources.metrics()).body);
    expect([...page.keys()]).to.include.members(['mesher_requests_total', 'mesher_downstream_connections_open']);
    const value = (name: string): number | undefined => page.get(name)?.samples[0]?.value;
    expect(value('mesher_registry_services_watched')).to.equal(1);
    expect(value('mesher_registry_instances')).to.equal(1);
    expect(page.get('mesher_build_info')?.samples[0]?.labels.get('node')).to.equal(process.version);
  });

  it('shows no pools where nothing was called', () => {
    expect(shown.sources.pools()).to.deep.equal({ pools: [] });
  });

  it('shows what it is told of the configuration', () => {
    expect(shown.sources.config()).to.deep.equal({ hash: 'abc' });
  });

  describe('of services:', () => {
    it('those that are followed and those that the registry lists, sorted, each once', async () => {
      await shown.follow('orders', []);
      shown.discovery.publishAll([
        httpInstance('10.0.0.9:80', { service: 'users' }),
        httpInstance('10.0.0.8:80', { service: 'orders' }),
        httpInstance('10.0.0.7:80', { service: 'billing' }),
      ]);
      await shown.chassis.start();
      const { services } = shown.sources.services();
      expect(services.map(({ service }) => service)).to.deep.equal(['billing', 'orders', 'users']);
      expect(shown.endpoints('users').map(({ address }) => address)).to.deep.equal(['10.0.0.9:80']);
      // The snapshot of a followed service is newer than the list.
      expect(shown.endpoints('orders')).to.deep.equal([]);
    });

    it('one that the registry does not know, since somebody called it', async () => {
      shown.discovery.publishAbsent('nobody');
      await shown.chassis.directory.whenKnown('nobody');
      expect(shown.service('nobody')).to.include({ exists: false });
    });

    it('one about which the registry has not answered', () => {
      void shown.chassis.directory.plan('slow');
      expect(shown.service('slow')).to.include({ exists: false, freshness: 'never' });
    });

    it('how old the knowledge is, what the registry complains about, and its last error', () => {
      shown.discovery.currentState = {
        freshness: 'stale',
        lastSuccessAt: shown.ports.clock.wallTime(),
        lastError: 'connection refused',
        problems: ['world:2: a bad line'],
        counts: { reconnected: 2 },
      };
      shown.ports.time.advance(2_500);
      expect(shown.sources.services().registries).to.deep.equal([
        {
          name: 'scripted',
          freshness: 'stale',
          ageSeconds: 2.5,
          lastError: 'connection refused',
          problems: ['world:2: a bad line'],
          events: { reconnected: 2 },
        },
      ]);
    });

    it('no age before the first answer, and none below zero when the wall clock was set back', () => {
      expect(shown.sources.services().registries[0]).not.to.have.property('ageSeconds');
      shown.discovery.currentState = {
        ...shown.discovery.currentState,
        lastSuccessAt: shown.ports.clock.wallTime() + 9e6,
      };
      expect(shown.sources.services().registries[0]?.ageSeconds).to.equal(0);
    });
  });

  describe('of instances:', () => {
    it('what the registry says of them', async () => {
      const facts = { app: 'shop', version: '2.0.0', metadata: { zone: 'b' }, weight: 3, instanceId: 'i-1' };
      await shown.follow('orders', [instanceAt({ rest: '10.0.0.1:80', grpc: '::1:9000' }, facts)]);
      const [instance] = shown.service('orders')?.instances ?? [];
      expect(instance).to.deep.equal({
        ...{ instanceId: 'i-1', app: 'shop', version: '2.0.0', status: 'UP', metadata: { zone: 'b' } },
        endpoints: [
          { address: '10.0.0.1:80', protocol: 'rest', weight: 3, available: true },
          { address: '[::1]:9000', protocol: 'grpc', weight: 3, available: true },
        ],
      });
    });

    it('why one gets no calls: its status, its weight', async () => {
      await shown.follow('orders', [
        httpInstance('10.0.0.1:80', { status: 'DOWN' }),
        httpInstance('10.0.0.2:80', { weight: 0 }),
        httpInstance('10.0.0.3:80'),
      ]);
      const reasons = shown.endpoints('orders').map(({ available, reason }) => [available, reason]);
      expect(reasons).to.deep.equal([
        [false, 'the instance is DOWN'],
        [false, 'its weight is 0'],
        [true, undefined],
      ]);
    });

    it('why one gets none of the calls for which an address is listed: gRPC, that nobody speaks, and HTTP, judged apart', async () => {
      const secured = new Map([
        ['rest', { host: '10.0.0.1', port: 80, tls: false }],
        ['grpc', { host: '10.0.0.1', port: 443, tls: true }],
      ]);
      await shown.follow('orders', [httpInstance('10.0.0.1:80', { addresses: secured })]);
      expect(shown.endpoints('orders').map(({ protocol, available }) => [protocol, available])).to.deep.equal([
        ['rest', true],
        ['grpc', false],
      ]);
    });

    it('that one of its addresses rests while the other does not', async () => {
      await shown.follow('orders', [instanceAt({ rest: '10.0.0.1:80', grpc: '10.0.0.1:80' })]);
      const [endpoint] = shown.chassis.directory.plan('orders')?.candidates('grpc').endpoints ?? [];
      if (endpoint === undefined) throw new Error('there is an endpoint');
      endpoint.restingUntil = shown.ports.clock.now() + 400;
      expect(shown.endpoints('orders').map(({ available }) => available)).to.deep.equal([true, false]);
    });

    it('that one rests after failed connects, for how long still, and that it is back afterwards', async () => {
      await shown.follow('orders', [httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
      const [, endpoint] = shown.chassis.directory.plan('orders')?.candidates('http').endpoints ?? [];
      if (endpoint === undefined) throw new Error('there are two endpoints');
      endpoint.connectFailures = 3;
      endpoint.restingUntil = shown.ports.clock.now() + 400;
      shown.ports.time.advance(100);
      expect(shown.endpoints('orders')[0]?.available).to.equal(true);
      expect(shown.endpoints('orders')[1]).to.include({ available: false });
      expect(shown.endpoints('orders')[1]?.reason).to.match(/^rests for 300 ms after 3 failed connects/);
      shown.ports.time.advance(300);
      expect(shown.endpoints('orders')[1]).to.include({ available: true });
    });
  });
});

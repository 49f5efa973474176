import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { ServiceCenterServer } from '../testing/index.js';
import { RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';

const isHeartbeat = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'PUT' && path.endsWith('/heartbeat');
const isRegistration = ({ method, path }: { method: string; path: string }): boolean =>
  method === 'POST' && path.endsWith('/instances');

describe('registering in service-center', () => {
  let center: ServiceCenterServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  function listed(): readonly Record<string, unknown>[] {
    const tenant = center.registry.tenant('default/default');
    const serviceId =
      /microservices\/([^/]+)\/instances/.exec(center.asked.find(isRegistration)?.path ?? '')?.[1] ?? '';
    return tenant.instances.list(serviceId) as unknown as Record<string, unknown>[];
  }

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await center.close();
  });

  it('says all that the configuration says of service and instance', async () => {
    const rig = await open({
      yaml: [
        'servicecomb.registry.scope: full',
        'region: { name: eu, availableZone: eu-1 }',
        'servicecomb.service: { description: Sells, level: FRONT, properties: { team: a }, schemas: [s1], hostname: box }',
        'servicecomb.service.paths: [{ path: /shop }]',
      ].join('\n'),
    });
    await rig.register({ metadata: { stage: 'canary' }, status: 'STARTING' });
    const service = JSON.parse(center.asked.find(({ path }) => path.endsWith('/microservices'))?.text ?? '') as object;
    expect(service).to.deep.equal({
      service: {
        appId: 'shop',
        serviceName: 'caller',
        version: '1.0.0',
        environment: 'testing',
        alias: 'shop:caller',
        description: 'Sells',
        level: 'FRONT',
        status: 'UP',
        schemas: ['s1'],
        paths: [{ Path: '/shop' }],
        properties: { team: 'a', allowCrossApp: 'true' },
        registerBy: 'SIDECAR',
        framework: { name: 'Mesher', version: '0.1.0' },
      },
    });
    const [instance] = listed();
    expect(instance).to.deep.include({
      hostName: 'box',
      endpoints: ['rest://127.0.0.1:8080'],
      status: 'STARTING',
      properties: { stage: 'canary' },
      healthCheck: { mode: 'push', interval: 30, times: 3 },
      dataCenterInfo: { name: 'eu', region: 'eu', availableZone: 'eu-1' },
    });
  });

  for (const [known, place] of [
    ['name: eu', { region: 'eu' }],
    ['availableZone: az1', { zone: 'az1' }],
  ] as const) {
    it(`registers an instance whose place is known by half (${known}), and finds it with that half`, async () => {
      const rig = await open({ yaml: `region: { ${known} }\n` });
      await rig.register();
      const { instances } = await rig.watch('caller').next();
      expect(instances.map(({ metadata }) => metadata)).to.deep.equal([place]);
    });
  }

  it('registers under names too long for the alias that nobody asked for', async () => {
    const rig = await open({ yaml: 'servicecomb.registry.scope: full\n' });
    await rig.register({ app: 'a'.repeat(100), service: 's'.repeat(100) });
    expect(listed()).to.have.length(1);
  });

  it('asks below the project and for the tenant', async () => {
    const rig = await open({ yaml: 'servicecomb.registry: { project: blue, tenant: acme }\n' });
    await rig.register();
    expect(center.asked.every(({ path }) => path.startsWith('/v4/blue/registry/'))).to.equal(true);
    expect(new Set(center.asked.map(({ headers }) => headers['x-domain-name']))).to.deep.equal(new Set(['acme']));
  });

  it('makes no second instance when the answer was lost', async () => {
    const rig = await open();
    center.failure = { status: 200, body: '<html>' };
    const lease = rig.register();
    await center.untilAsked(() => true, 3);
    center.failure = undefined;
    await lease;
    expect(listed()).to.have.length(1);
  });

  it('brings properties of a service up to date that was registered with others', async () => {
    const { serviceId } = center.seed({
      ...{ appId: 'shop', serviceName: 'caller', version: '1.0.0', environment: 'testing' },
      properties: { old: 'stays', team: 'old' },
    });
    const rig = await open({ yaml: 'servicecomb.service.properties: { team: new }\n' });
    await rig.register();
    const put = center.asked.find(({ method, path }) => method === 'PUT' && path.includes(serviceId));
    expect(JSON.parse(put?.text ?? '')).to.deep.equal({
      properties: { old: 'stays', team: 'new', allowCrossApp: 'false' },
    });
  });

  it('gives up for good what service-center refuses for good', async () => {
    const rig = await open();
    const error: unknown = await rig.register({ service: 'no spaces' }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'SC_REFUSED', errorCode: 400001 });
    // Who wonders why nobody finds it looks there.
    expect(rig.registry.discovery.state().problems.join()).to.match(
      /^no spaces is not registered: .*400001.*next start$/,
    );
  });

  it('waits for a service-center that is down, and can be given up', async () => {
    const rig = await open({ address: 'http://127.0.0.1:1' });
    const lease = rig.register().catch((reason: unknown) => reason);
    await rig.close();
    expect(await lease).to.be.instanceOf(Error);
  });

  describe('keeps an instance alive', () => {
    const HEARTBEATS = 'servicecomb.registry.heartbeat.interval: 5s\n';

    it('by a request up to a fifth before the interval is over, and at once after a stall of the process', async () => {
      const ports = fakePorts();
      const rig = await open({ yaml: HEARTBEATS, ports });
      await rig.register();
      // The first one comes anywhere within the interval.
      ports.time.advance(5_000);
      await center.untilAsked(isHeartbeat, 1);
      const next = (): number => (ports.time.nextTimerAt ?? Infinity) - ports.time.now();
      // Until then, what is waited for is the answer, for ten seconds, and the look whether the machine slept, every five.
      while (next() >= 5_000) await new Promise((resolve) => setImmediate(resolve));
      expect(next()).to.be.within(4_000, 5_000);
      // A machine that slept for longer than the lease.
      center.registry.forget();
      ports.time.advance(3_600_000);
      await center.untilAsked(isRegistration, 2);
      expect(center.asked.filter(isHeartbeat)).to.have.length(2);
    });

    it('with one request for all instances of the process', async () => {
      const rig = await open({ yaml: HEARTBEATS });
      await Promise.all([rig.register(), rig.register({}, 8081)]);
      const { registrator } = rig.registry;
      registrator.beatNow();
      await center.untilAsked(({ path }) => path.endsWith('/heartbeats'));
      expect(center.asked.some(isHeartbeat)).to.equal(false);
    });

    it('and registers all again when a service-center 1.x refuses that one request because it has lost some', async () => {
      const rig = await open({ yaml: HEARTBEATS });
      await Promise.all([rig.register(), rig.register({}, 8081)]);
      center.registry.forget();
      center.failure = { status: 400, body: '{"errorCode":"400017","errorMessage":"Instance does not exist"}' };
      rig.registry.registrator.beatNow();
      await center.untilAsked(isHeartbeat, 2);
      center.failure = undefined;
      const before = center.asked.filter(isRegistration).length;
      await center.untilAsked(isRegistration, before + 2);
    });

    it('and registers it again under the same id, with its last status, when service-center has lost it', async () => {
      const rig = await open({ yaml: HEARTBEATS });
      const lease = await rig.register();
      await lease.setStatus('DOWN');
      center.registry.forget();
      rig.registry.registrator.beatNow();
      await center.untilAsked(isRegistration, 2);
      const [first, second] = center.asked
        .filter(isRegistration)
        .map(({ text }) => (JSON.parse(text) as { instance: { instanceId: string; status: string } }).instance);
      expect([first?.status, second?.status]).to.deep.equal(['UP', 'DOWN']);
      expect(second?.instanceId).to.equal(first?.instanceId);
    });

    it('and does not register it again because of trouble on the way', async () => {
      const rig = await open({ yaml: HEARTBEATS });
      await rig.register();
      center.failure = { status: 500, body: '{"errorCode":"500011","errorMessage":"etcd"}' };
      rig.registry.registrator.beatNow();
      await center.untilAsked(isHeartbeat, 3);
      center.failure = undefined;
      await center.untilAsked(isHeartbeat, 4);
      expect(center.asked.filter(isRegistration)).to.have.length(1);
    });

    it('and tells a status that service-center did not take with the next heartbeat that works', async () => {
      const rig = await open({ yaml: HEARTBEATS });
      const lease = await rig.register();
      center.failure = { status: 503 };
      const error: unknown = await lease.setStatus('DOWN').catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'SC_UNREACHABLE' });
      center.failure = undefined;
      rig.registry.registrator.beatNow();
      await center.untilAsked(({ path }) => path.endsWith('/status'), 3);
      expect(listed()[0]?.['status']).to.equal('DOWN');
    });

    it('over a WebSocket, with requests while there is none', async () => {
      const rig = await open({ yaml: `${HEARTBEATS}servicecomb.registry.heartbeat.mode: ping-pong\n` });
      await rig.register();
      await center.steering.until(() => center.heartbeats.count === 1);
      center.failure = { status: 503, body: '' };
      center.dropSockets();
      await center.untilAsked(({ method, path }) => method === 'PUT' && isHeartbeat({ method, path }));
      center.failure = undefined;
      await center.steering.until(() => center.heartbeats.count === 1);
      expect(center.asked.filter(isRegistration)).to.have.length(1);
    });

    it('over a WebSocket that says that the instance is lost', async () => {
      const rig = await open({ yaml: `${HEARTBEATS}servicecomb.registry.heartbeat.mode: ping-pong\n` });
      await rig.register();
      await center.steering.until(() => center.heartbeats.count === 1);
      center.registry.forget();
      center.dropSockets();
      await center.untilAsked(isRegistration, 2);
      await center.steering.until(() => center.heartbeats.count === 1);
    });
  });

  it('sends requests to a server that knows no heartbeat by WebSocket', async () => {
    await center.close();
    center = await ServiceCenterServer.start({ websocketHeartbeat: false });
    const rig = await open({ yaml: 'servicecomb.registry.heartbeat: { mode: ping-pong, interval: 5s }\n' });
    await rig.register();
    await center.untilAsked(({ method, path }) => isHeartbeat({ method, path }));
    expect(rig.logger.messages('info').join()).to.contain('no heartbeats over a WebSocket');
  });

  it('leaves no instance behind when it is released, nor when it is given up under way', async () => {
    const rig = await open();
    const lease = await rig.register();
    await lease.release();
    await lease.release();
    expect(listed()).to.deep.equal([]);
    expect(center.asked.filter(({ method }) => method === 'DELETE')).to.have.length(1);
    center.steering.holdsAnswers = true;
    const given = rig.register().catch((reason: unknown) => reason);
    const closed = rig.close();
    center.steering.holdsAnswers = false;
    await Promise.all([given, closed]);
    expect(listed()).to.deep.equal([]);
  });

  it('takes a release of an instance that is gone for a release', async () => {
    const rig = await open();
    const lease = await rig.register();
    center.registry.forget();
    await lease.release();
  });
});

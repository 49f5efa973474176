import { expect } from 'chai';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { idsOf, RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';

const OFTEN = { refreshIntervalMs: 20 };
const WATCHING = 'servicecomb.registry: { watch: true, refreshInterval: 1h }\n';
const HOURLY = 'servicecomb.registry.refreshInterval: 1h\n';

const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');

describe('finding services in service-center', () => {
  let center: ServiceCenterServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, yaml: HOURLY, ...settings });
    rigs.push(rig);
    return rig;
  }

  /** A version of a service in the own application and environment, with instances of these ids. */
  function seed(serviceName: string, ids: readonly string[], more: Record<string, unknown> = {}): string {
    const instances = ids.map((instanceId, index) => ({
      instanceId,
      endpoints: [`rest://127.0.0.1:${20_001 + index}`],
    }));
    return center.seed({ appId: 'shop', environment: 'testing', serviceName, instances, ...more }).serviceId;
  }

  function remove(serviceId: string, instanceId: string): void {
    center.registry.tenant('default/default').instances.remove(serviceId, instanceId);
  }

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await center.close();
  });

  it('finds instances of all versions, with their status', async () => {
    seed('world', ['a'], { version: '1.0.0' });
    seed('world', [], {
      version: '2.0.0',
      instances: [{ instanceId: 'b', status: 'DOWN', endpoints: ['grpc://127.0.0.1:1?sslEnabled=true'] }],
    });
    const rig = await open();
    const { exists, instances } = await rig.watch('world').next();
    expect(exists).to.equal(true);
    expect(instances.map(({ instanceId, version, status }) => [instanceId, version, status]).sort()).to.deep.equal([
      ['a', '1.0.0', 'UP'],
      ['b', '2.0.0', 'DOWN'],
    ]);
  });

  it('asks for services that are watched, and for no others, in one request', async () => {
    seed('one', ['a']);
    seed('two', ['b']);
    seed('three', ['c']);
    const rig = await open();
    expect(idsOf(await rig.watch('one').next())).to.deep.equal(['a']);
    expect(idsOf(await rig.watch('two').next())).to.deep.equal(['b']);
    const asked = center.asked.filter(isFind).map(({ text }) => text);
    expect([asked.join().includes('three'), center.asked.every(isFind)]).to.deep.equal([false, true]);
  });

  it('says of a service that is not registered that it does not exist', async () => {
    const rig = await open();
    const { exists, instances } = await rig.watch('nobody').next();
    expect([exists, instances.length]).to.deep.equal([false, 0]);
  });

  it('says of a name that service-center refuses that it does not exist, and finds the others', async () => {
    seed('world', ['a']);
    const rig = await open();
    const names = ['-a', 'a b', 'a$b', 'x'.repeat(300), 'no such app!:world', 'world'];
    const found = await Promise.all(names.map((name) => rig.watch(name).next()));
    expect(found.map(({ exists }) => exists)).to.deep.equal([false, false, false, false, false, true]);
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
  });

  it('sees changes at the next look, with the revision of the last one', async () => {
    seed('world', ['a']);
    const rig = await open(OFTEN);
    const world = rig.watch('world');
    await world.next();
    seed('world', ['b'], { version: '2.0.0' });
    expect(idsOf(await world.next())).to.deep.equal(['a', 'b']);
    const revisions = center.asked
      .filter(isFind)
      .map(({ text }) => (JSON.parse(text) as { services: { rev?: string }[] }).services[0]?.rev);
    expect(revisions[0]).to.equal(undefined);
    expect(revisions.at(-1)).to.be.a('string');
  });

  it('keeps what it has while service-center is in trouble, and says so', async () => {
    seed('world', ['a']);
    const rig = await open(OFTEN);
    const world = rig.watch('world');
    await world.next();
    for (const failure of [
      { status: 500 },
      { status: 200, body: '<html>' },
      { status: 200, body: '{"services":{}}' },
    ]) {
      center.failure = failure;
      const before = center.asked.length;
      await center.steering.until(() => center.asked.length > before + 1);
      expect(rig.registry.discovery.state()).to.include({ freshness: 'stale' });
    }
    center.failure = undefined;
    seed('world', ['b'], { version: '2.0.0' });
    expect(idsOf(await world.next())).to.deep.equal(['a', 'b']);
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
  });

  it('leaves other applications and environments alone, unless the scope is full or the name says which', async () => {
    seed('world', ['own']);
    seed('world', ['other'], { appId: 'bank' });
    seed('world', ['elsewhere'], { environment: 'production' });
    const narrow = await open();
    expect(idsOf(await narrow.watch('world').next())).to.deep.equal(['own']);
    expect(idsOf(await narrow.watch('bank:world').next())).to.deep.equal(['other']);
    const full = await open({ yaml: `${HOURLY}servicecomb.registry.scope: full\n` });
    const { instances } = await full.watch('world').until((snapshot) => snapshot.instances.length === 2);
    expect(instances.map(({ instanceId, app }) => [instanceId, app])).to.deep.equal([
      ['own', 'shop'],
      ['other', 'bank'],
    ]);
  });

  describe('is told of changes by the watch', () => {
    it('and asks then', async () => {
      const rig = await open({ yaml: WATCHING });
      await rig.register();
      await center.untilWatchers(1);
      const serviceId = seed('world', ['a']);
      const world = rig.watch('world');
      await world.until((snapshot) => snapshot.instances.length === 1);
      center.registry.tenant('default/default').instances.setStatus(serviceId, 'a', 'DOWN');
      const { instances } = await world.next();
      expect(instances[0]?.status).to.equal('DOWN');
    });

    it('and believes it of the last instance, too', async () => {
      const rig = await open({ yaml: WATCHING, options: { probeInterval: 3_600_000 } });
      await rig.register();
      await center.untilWatchers(1);
      const serviceId = seed('world', ['a']);
      const world = rig.watch('world');
      await world.until((snapshot) => snapshot.instances.length === 1);
      remove(serviceId, 'a');
      expect((await world.next()).instances).to.deep.equal([]);
    });

    it('and asks for everything after each connect, since events may have been lost', async () => {
      seed('world', ['a']);
      const rig = await open({ yaml: WATCHING });
      await rig.register();
      await center.untilWatchers(1);
      const world = rig.watch('world');
      await world.next();
      center.watchers.loses = true;
      seed('world', ['b'], { version: '2.0.0' });
      center.watchers.loses = false;
      center.dropSockets();
      expect(idsOf(await world.until(({ instances }) => instances.length === 2))).to.deep.equal(['a', 'b']);
    });

    it('and bears everything that is no event', async () => {
      seed('world', ['a']);
      const rig = await open({ yaml: WATCHING });
      const lease = await rig.register();
      await center.untilWatchers(1);
      const world = rig.watch('world');
      await world.next();
      const own = /microservices\/([^/]+)\/watcher/.exec(center.asked.map(({ path }) => path).join())?.[1] ?? '';
      const key = { tenant: 'default/default', appId: 'shop', serviceName: 'world', version: '0.0.1' };
      for (const frame of ['', '{', 'null', '[]', '{"action":"EXPIRE"}', JSON.stringify({ action: 'EXPIRE', key })]) {
        center.watchers.send(own, frame);
      }
      seed('world', ['b'], { version: '2.0.0' });
      expect(idsOf(await world.until(({ instances }) => instances.length === 2))).to.deep.equal(['a', 'b']);
      expect(center.watchers.count).to.equal(1);
      await lease.release();
    });
  });

  it('is not misled when service-center has forgotten who asks', async () => {
    seed('world', ['a']);
    const rig = await open(OFTEN);
    await rig.register();
    const world = rig.watch('world');
    await world.next();
    const { registrator } = rig.registry;
    center.registry.forget();
    seed('world', ['a', 'b']);
    expect(idsOf(await world.until(({ instances }) => instances.length === 2))).to.deep.equal(['a', 'b']);
    await center.untilAsked(({ method, path }) => method === 'POST' && path.endsWith('/instances'), 2);
    expect(registrator.problems).to.deep.equal([]);
  });

  describe('does not believe at once that all instances are gone', () => {
    let listener: Server;
    let port: number;

    beforeEach(async () => {
      listener = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      ({ port } = listener.address() as AddressInfo);
    });

    afterEach(() => new Promise<void>((resolve) => void listener.close(() => resolve())));

    it('and keeps those that accept connections, until they do not', async () => {
      const alive = { instanceId: 'alive', endpoints: [`rest://127.0.0.1:${port}`] };
      const dead = { instanceId: 'dead', endpoints: ['rest://127.0.0.1:1'] };
      seed('world', [], { instances: [alive, dead] });
      const rig = await open(OFTEN);
      const world = rig.watch('world');
      await world.next();
      center.registry.forget();
      const kept = await world.until(({ instances }) => instances.length === 1);
      expect([idsOf(kept), kept.exists]).to.deep.equal([['alive'], true]);
      await new Promise<void>((resolve) => void listener.close(() => resolve()));
      const { exists, instances } = await world.next();
      expect([exists, instances.length]).to.deep.equal([false, 0]);
    });

    it('and gives them up after the grace', async () => {
      seed('world', [], { instances: [{ instanceId: 'a', endpoints: [`rest://127.0.0.1:${port}`] }] });
      const rig = await open({ ...OFTEN, options: { emptyGrace: 1 } });
      const world = rig.watch('world');
      await world.next();
      center.registry.forget();
      expect((await world.until(({ instances }) => instances.length === 0)).exists).to.equal(false);
    });
  });

  it('lists every instance for the index of addresses, when that is wanted', async () => {
    seed('world', ['a']);
    seed('other', ['b'], { appId: 'bank' });
    const rig = await open({ yaml: 'servicecomb.registry.autoIPIndex: true\n' });
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    const { value } = (await all.next()) as { value: readonly { service: string; instanceId: string }[] };
    expect(value.map(({ service, instanceId }) => [service, instanceId]).sort()).to.deep.equal([
      ['other', 'b'],
      ['world', 'a'],
    ]);
  });

  it('keeps the index of addresses until it was told twice that there is no instance at all', async () => {
    seed('world', ['a']);
    const rig = await open({ yaml: 'servicecomb.registry.autoIPIndex: true\n', refreshIntervalMs: 20 });
    const lists = (): number => center.asked.filter(({ path }) => path.includes('/govern/')).length;
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    await all.next();
    const before = lists();
    center.registry.forget();
    expect((await all.next()).value).to.deep.equal([]);
    expect(lists() - before).to.be.at.least(2);
  });

  it('tells a service-center in which it is not registered nothing of the one in which it is', async () => {
    const there = await ServiceCenterServer.start();
    try {
      const asOne = await open();
      await asOne.register();
      await asOne.watch('world').next();
      const asTwo = await open({ yaml: `servicecomb.registry.registrator.address: ${there.url}\n` });
      await asTwo.register();
      await asTwo.watch('elsewhere').next();
      const askers = center.asked
        .filter(({ path }) => path.endsWith('/instances/action'))
        .map(({ headers, text }) => [text.includes('elsewhere'), headers['x-consumerid'] !== undefined].join());
      expect(new Set(askers)).to.deep.equal(new Set(['false,true', 'true,false']));
      await asTwo.close();
    } finally {
      await there.close();
    }
  });

  it('tells by an empty list that it can be asked, when nobody wants the index', async () => {
    const rig = await open();
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    expect((await all.next()).value).to.deep.equal([]);
    center.failure = { status: 500 };
    const again = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    expect(await again.next().catch((error: unknown) => error)).to.include({ code: 'SC_UNREACHABLE' });
  });
});

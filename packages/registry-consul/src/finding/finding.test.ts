import { expect } from 'chai';
import type { Instance } from '@mesher/core';
import { idsOf, RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import { ConsulServer, type Asked } from '../testing/index.js';

const isQuestion = ({ path }: Asked): boolean => path.startsWith('/v1/health/service/');
const isHeld = (asked: Asked): boolean => isQuestion(asked) && asked.query.has('index');

describe('finding services in Consul', () => {
  let consul: ConsulServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: consul.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  function seed(id: string, more: Record<string, unknown> = {}): void {
    consul.seed({ Name: 'world', ID: id, Address: '10.0.0.1', Port: 8080, ...more });
  }

  async function only(): Promise<Instance | undefined> {
    const rig = await open();
    const { instances } = await rig.watch('world').next();
    return instances[0];
  }

  beforeEach(async () => {
    consul = await ConsulServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await consul.close();
  });

  it('gives back what another Mesher registered', async () => {
    const rig = await open({ yaml: 'region: { name: eu, availableZone: eu-1 }\n' });
    const addresses = new Map([
      ['rest', { host: '10.0.0.1', port: 8080, tls: false }],
      ['grpc', { host: '::1', port: 9090, tls: true }],
      ['rest-admin', { host: '10.0.0.1', port: 8081, tls: false }],
    ]);
    const metadata = { stage: 'canary', 'dotted.key': 'x', long: 'ä'.repeat(400) };
    await rig.register({ addresses, metadata, weight: 0.5, version: '2.1', app: 'shop' });
    const { instances, exists } = await rig.watch('caller').next();
    expect(exists).to.equal(true);
    expect(instances).to.have.length(1);
    expect(instances[0]).to.deep.include({ service: 'caller', app: 'shop', version: '2.1', status: 'UP', weight: 0.5 });
    expect(instances[0]?.addresses).to.deep.equal(addresses);
    expect(instances[0]?.metadata).to.deep.include({ ...metadata, region: 'eu', zone: 'eu-1', environment: 'testing' });
    expect(rig.logger.messages('warn').join()).to.contain('only Mesher will find it');
  });

  it('makes metadata of tags, metadata and the datacenter of others, and reads their version', async () => {
    seed('a', {
      Tags: ['canary', 'team=blue'],
      Meta: { version: '3', stage: 'x' },
      Weights: { Passing: 7, Warning: 1 },
    });
    const instance = await only();
    expect(instance).to.deep.include({ version: '3', app: 'default', weight: 7, status: 'UP' });
    expect(instance?.metadata).to.deep.equal({ canary: 'true', team: 'blue', stage: 'x', region: 'dc1' });
  });

  it('takes the version of others from a tag when their metadata does not say it', async () => {
    seed('a', { Tags: ['version=2.0'] });
    seed('b', { Tags: ['version=2.0'], Meta: { version: '3' } });
    const { instances } = await (await open()).watch('world').next();
    expect(instances.map(({ version }) => version)).to.deep.equal(['2.0', '3']);
  });

  for (const [words, more, protocol, tls] of [
    ['nothing', {}, '*', false],
    ['the tag grpc', { Tags: ['v1', 'grpc'] }, 'grpc', false],
    ['the metadata protocol', { Meta: { protocol: 'HTTP' } }, 'rest', false],
    ['the tag https', { Tags: ['https'] }, 'rest', true],
    ['secure in the metadata', { Meta: { secure: 'true' } }, '*', true],
  ] as const) {
    it(`takes the address of others for ${protocol} because of ${words}`, async () => {
      seed('a', more);
      const address = { host: '10.0.0.1', port: 8080, tls };
      expect((await only())?.addresses).to.deep.equal(new Map([[protocol, address]]));
    });
  }

  it('takes the address of the node where the instance has none', async () => {
    seed('a', { Address: '' });
    expect((await only())?.addresses.get('*')?.host).to.equal('127.0.0.1');
  });

  it('tells of an instance without a port, which takes no calls, and keeps the others', async () => {
    seed('a', { Port: 0 });
    seed('b');
    const rig = await open();
    const { instances } = await rig.watch('world').next();
    expect(instances.map(({ addresses }) => addresses.size).sort()).to.deep.equal([0, 1]);
    expect(rig.registry.discovery.state().problems).to.deep.equal(['world a: no address']);
  });

  it('says that a service of which nothing is listed does not exist', async () => {
    const rig = await open();
    expect(await rig.watch('world').next()).to.include({ exists: false });
  });

  it('tells of each change at once, by questions that Consul holds', async () => {
    seed('a');
    const rig = await open();
    const watch = rig.watch('world');
    expect(idsOf(await watch.next())).to.deep.equal(['a']);
    await consul.untilHeld(1);
    seed('b', { Port: 8081, Check: { TTL: '1h', Status: 'passing' } });
    expect(idsOf(await watch.next())).to.deep.equal(['a', 'b']);
    consul.setCheck('service:b', 'critical');
    await watch.until((snapshot) => idsOf(snapshot).join() === 'a');
    const held = consul.asked.find(isHeld);
    expect(held?.query.get('wait')).to.equal('30000ms');
  });

  it('shows no snapshot twice when Consul answers and nothing has changed', async () => {
    seed('a');
    const rig = await open();
    const watch = rig.watch('world');
    await watch.next();
    for (let round = 1; round < 4; round++) {
      await consul.untilHeld(1);
      consul.setKey('unrelated', String(round));
      consul.seed({ Name: 'other', ID: `o${round}`, Port: 1 });
    }
    await consul.untilHeld(1);
    seed('b', { Port: 8081 });
    expect((await watch.next()).revision).to.equal('2');
  });

  it('asks once for a service that several watch, and ends the question when nobody does any more', async () => {
    seed('a');
    const rig = await open();
    const watches = [rig.watch('world'), rig.watch('world')];
    await Promise.all(watches.map((watch) => watch.next()));
    await consul.untilHeld(1);
    await watches[0]?.end();
    expect(consul.steering.held).to.equal(1);
    await watches[1]?.end();
    await consul.untilHeld(0);
  });

  it('asks from time to time for services beyond those that may be watched', async () => {
    seed('a');
    const rig = await open({ options: { maxWatches: 1 }, refreshIntervalMs: 20 });
    const first = rig.watch('other');
    await first.next();
    const second = rig.watch('world');
    await second.next();
    seed('b', { Port: 8081 });
    await second.until((snapshot) => idsOf(snapshot).length === 2);
    const questions = consul.asked.filter(({ path }) => path.endsWith('/world'));
    expect(questions.some(isHeld)).to.equal(false);
    // Whoever leaves makes room.
    await first.end();
    await consul.untilAsked((asked) => isHeld(asked) && asked.path.endsWith('/world'));
  });

  describe('judges the checks', () => {
    for (const [words, check, options, status] of [
      ['a warning', { status: 'warning' }, {}, 'DOWN'],
      ['a warning, where that is allowed', { status: 'warning' }, { warning: 'in' }, 'UP'],
      ['a critical state', { status: 'critical' }, { warning: 'in' }, 'DOWN'],
    ] as const) {
      it(`with ${words} an instance is ${status}`, async () => {
        seed('a', { Check: { TTL: '1h', Status: 'passing' } });
        consul.setCheck('service:a', check.status);
        const rig = await open({ options });
        const { instances } = await rig.watch('world').next();
        expect(instances.map((instance) => instance.status)).to.deep.equal([status]);
      });
    }
  });

  it('leaves out instances of another environment, and none where that is not wanted', async () => {
    seed('a', { Meta: { environment: 'production' } });
    seed('b', { Meta: { environment: 'testing' }, Port: 1 });
    seed('c', { Port: 2 });
    expect(idsOf(await (await open()).watch('world').next())).to.deep.equal(['b', 'c']);
    const rig = await open({ options: { sameEnvironment: false } });
    expect(idsOf(await rig.watch('world').next())).to.deep.equal(['a', 'b', 'c']);
  });

  it('asks as it is told: datacenter, distance, consistency and token', async () => {
    const options = { datacenter: 'dc1', near: '_agent', consistency: 'stale', token: 'secret' } as const;
    const rig = await open({ options });
    await rig.watch('world').next();
    const asked = consul.asked.find(isQuestion);
    const query = Object.fromEntries(asked?.query ?? []);
    expect(query).to.include({ dc: 'dc1', near: '_agent', stale: '1' });
    expect(asked?.headers['x-consul-token']).to.equal('secret');
  });

  it('asks below a namespace and a partition', async () => {
    const rig = await open({ options: { namespace: 'team', partition: 'east' } });
    const watch = rig.watch('world').next();
    await consul.untilAsked(isQuestion);
    expect(Object.fromEntries(consul.asked[0]?.query ?? [])).to.include({ ns: 'team', partition: 'east' });
    watch.catch(() => {});
  });

  it('lists all instances for the index of addresses, where that is wanted, and again after a change', async () => {
    seed('a');
    const rig = await open({ yaml: 'servicecomb.registry.autoIPIndex: true\n', refreshIntervalMs: 20 });
    const lists = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    const ids = async (): Promise<string> => {
      const { value } = (await lists.next()) as { value?: readonly Instance[] };
      return (value ?? [])
        .map(({ service, instanceId }) => `${service}/${instanceId}`)
        .sort()
        .join();
    };
    expect(await ids()).to.equal('world/a');
    consul.seed({ Name: 'other', ID: 'b', Port: 1 });
    expect(await ids()).to.equal('other/b,world/a');
  });

  it('believes after emptyGrace only that most of what it listed is gone, as an agent says that was started without its memory', async () => {
    const yaml = 'servicecomb.registry.autoIPIndex: true\n';
    const lists = async (emptyGrace: number): Promise<() => Promise<string>> => {
      const { registry, signal } = await open({ yaml, refreshIntervalMs: 5, options: { emptyGrace } });
      const begin = (): AsyncIterator<readonly Instance[]> =>
        registry.discovery.watchAll(signal)[Symbol.asyncIterator]();
      let all = begin();
      return async () => {
        try {
          const { value } = (await all.next()) as { value: readonly Instance[] };
          return value
            .map(({ instanceId }) => instanceId)
            .sort()
            .join();
        } catch {
          all = begin();
          return 'broke off';
        }
      };
    };
    const isAboutCaller = ({ path }: Asked): boolean => path === '/v1/catalog/service/caller';
    seed('a');
    consul.seed({ Name: 'other', ID: 'b', Port: 1 });
    const [patient, quick] = [await lists(3_600_000), await lists(0)];
    expect([await patient(), await quick()]).to.deep.equal(['a,b', 'a,b']);
    const broken = [patient(), quick()];
    await consul.untilHeld(2);
    consul.forget(1);
    consul.seed({ Name: 'caller', ID: 'c' });
    consul.dropConnections();
    expect(await Promise.all(broken)).to.deep.equal(['broke off', 'broke off']);
    expect(await quick()).to.equal('c');
    // It says again what it knows: whoever follows it is told that Consul answers.
    expect(await patient()).to.equal('a,b');
    const next = patient();
    await consul.untilAsked(isAboutCaller, consul.asked.filter(isAboutCaller).length + 3);
    seed('a');
    expect(await next).to.equal('a,c');
    // The one that only calls has no address, which is no mistake.
    expect(rigs.flatMap(({ registry }) => registry.discovery.state().problems)).to.deep.equal([]);
  });

  it('does not take for gone what the token hides from the index from now on', async () => {
    await consul.close();
    const serviceRead = ['world'];
    consul = await ConsulServer.start({ acl: { rootToken: 'root', tokens: { reader: { serviceRead } } } });
    seed('a');
    const yaml = 'servicecomb.registry.autoIPIndex: true\n';
    const { registry, signal } = await open({
      yaml,
      refreshIntervalMs: 5,
      options: { token: 'reader', emptyGrace: 0 },
    });
    const lists = registry.discovery.watchAll(signal)[Symbol.asyncIterator]();
    expect(((await lists.next()).value as readonly Instance[]).map(({ instanceId }) => instanceId)).to.deep.equal([
      'a',
    ]);
    serviceRead.pop();
    seed('b');
    expect(await lists.next().catch(String)).to.contain('the token may not see most services');
  });

  it('lists nobody without autoIPIndex, and so tells that Consul can be asked', async () => {
    seed('a');
    const rig = await open();
    const lists = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    expect(rig.registry.discovery.state().freshness).to.equal('never');
    expect((await lists.next()).value).to.deep.equal([]);
    expect(rig.registry.discovery.state().freshness).to.equal('fresh');
  });
});

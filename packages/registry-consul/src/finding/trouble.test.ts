import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { idsOf, RegistryRig, type RigSettings, type Snapshots } from '../client/testing/registry-rig.js';
import { ConsulServer, type Asked } from '../testing/index.js';

const isQuestion = ({ path }: Asked): boolean => path.startsWith('/v1/health/service/');

describe('Consul in trouble', () => {
  let consul: ConsulServer;
  const rigs: RegistryRig[] = [];
  const applications: Server[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: consul.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  /** An application that accepts connections. */
  async function listen(): Promise<number> {
    const server = createServer((socket) => socket.destroy());
    applications.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function stop(): Promise<void> {
    await Promise.all(applications.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }

  function seed(id: string, port: number): void {
    const Check = { TTL: '1h', Status: 'passing' };
    consul.seed({ Name: 'world', ID: id, Address: '127.0.0.1', Port: port, Check });
  }

  beforeEach(async () => {
    consul = await ConsulServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await stop();
    await consul.close();
  });

  it('keeps what is known while the agent is away, and asks for everything when it is back, with another index', async () => {
    seed('a', 1);
    const rig = await open();
    const watch = rig.watch('world');
    await watch.next();
    const { port } = consul;
    await consul.close();
    while (rig.registry.discovery.state().freshness !== 'stale') await new Promise((next) => setImmediate(next));
    expect(rig.registry.discovery.state().lastError).to.contain('cannot be asked: ECONN');
    consul = await ConsulServer.start({ port });
    seed('b', 2);
    await watch.until((snapshot) => idsOf(snapshot).join() === 'b');
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
    expect(rig.registry.discovery.state().counts?.reconnected).to.equal(1);
  });

  for (const [words, failure] of [
    ['an election', { status: 500, body: 'No cluster leader' }],
    ['too many requests', { status: 429, body: 'Your IP is issuing too many concurrent connections' }],
    ['HTML of a proxy', { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a list without an index', { status: 200, body: '[]' }],
    ['an index of 0', { status: 200, body: '[]', headers: { 'x-consul-index': '0' } }],
    ['no list', { status: 200, body: '{"a":1}', headers: { 'x-consul-index': '9' } }],
    ['half of a list', { status: 200, body: '[{"Node":', headers: { 'x-consul-index': '9' } }],
    ['nothing', { status: 200, body: '', headers: { 'x-consul-index': '9' } }],
    ['a token that is wrong', { status: 403, body: 'ACL not found' }],
  ] as const) {
    it(`keeps what is known when the answer is ${words}`, async () => {
      seed('a', 1);
      const rig = await open();
      const watch = rig.watch('world');
      await watch.next();
      await consul.untilHeld(1);
      const asked = consul.asked.length;
      consul.failure = failure;
      consul.dropConnections();
      await consul.steering.until(() => consul.asked.length > asked + 1);
      consul.failure = undefined;
      seed('b', 2);
      // Nothing was shown in between.
      expect(idsOf(await watch.next())).to.deep.equal(['a', 'b']);
    });
  }

  it('doubts that there is nothing when Consul knows no leader, unless it is the streaming backend, which never does', async () => {
    const leaderless = { 'x-consul-index': '9', 'x-consul-knownleader': 'false' };
    consul.failure = { status: 200, body: '[]', headers: leaderless };
    const rig = await open();
    const watch = rig.watch('world');
    const first = watch.next();
    await consul.untilAsked(isQuestion, 2);
    expect(rig.registry.discovery.state().lastError).to.contain('has no leader');
    consul.failure = { status: 200, body: '[]', headers: { ...leaderless, 'x-consul-query-backend': 'streaming' } };
    expect(await first).to.include({ exists: false });
  });

  it('keeps the good entries of an answer with bad ones', async () => {
    const good = { Node: { Node: 'n', Address: '10.0.0.1' }, Service: { ID: 'a', Port: 80 }, Checks: [] };
    const bad = [null, 7, [], {}, { Service: { ID: 'b', Port: 70_000 } }, { Node: 1, Service: { ID: {}, Port: 'x' } }];
    const body = JSON.stringify([...bad, good]);
    consul.failure = { status: 200, body, headers: { 'x-consul-index': '9' } };
    const rig = await open();
    const snapshot = await rig.watch('world').next();
    expect(snapshot.instances.filter(({ addresses }) => addresses.size > 0)).to.have.length(1);
    expect(rig.registry.discovery.state().problems.join()).to.contain('an instance without ID');
  });

  it('reads instances whose tags and metadata have the names of what every object has', async () => {
    const words = ['constructor', '__proto__', 'toString'];
    const Meta = { protocol: 'constructor', constructor: 'x', hasOwnProperty: 'y' };
    consul.seed({ Name: 'world', ID: 'a', Address: '127.0.0.1', Port: 1, Tags: [...words, '__proto__=x'], Meta });
    seed('b', 2);
    const snapshot = await (await open()).watch('world').next();
    expect(idsOf(snapshot)).to.deep.equal(['a', 'b']);
    expect(snapshot.instances[0]?.metadata).to.include({ toString: 'true', constructor: 'x', hasOwnProperty: 'y' });
  });

  it('tells instances apart that have one id at two nodes', async () => {
    const at = (Node: string, Port: number): object => ({
      Node: { Node, Address: '10.0.0.1' },
      Service: { ID: 'a', Port },
    });
    const body = JSON.stringify([at('n1', 1), at('n2', 2)]);
    consul.failure = { status: 200, body, headers: { 'x-consul-index': '9' } };
    expect(idsOf(await (await open()).watch('world').next())).to.deep.equal(['a@n1', 'a@n2']);
  });

  it('does not take what the token hides for nothing', async () => {
    await consul.close();
    const acl = { rootToken: 'root', tokens: { all: { serviceRead: ['world'] }, none: { serviceRead: ['other'] } } };
    consul = await ConsulServer.start({ acl });
    seed('a', 1);
    consul.seed({ Name: 'other', ID: 'o', Port: 1 });
    const rig = await open({ options: { token: 'none' } });
    await rig.watch('other').next();
    const watch = rig.watch('world').next();
    watch.catch(() => {});
    while (rig.registry.discovery.state().problems.length === 0) await new Promise((next) => setImmediate(next));
    expect(rig.registry.discovery.state().problems.join()).to.contain('the token may not see world');
    expect(rig.registry.discovery.state().freshness).to.equal('fresh');
  });

  it('does not take for gone what the token hides from now on, though an answer that was held does not say so', async () => {
    await consul.close();
    const serviceRead = ['world'];
    consul = await ConsulServer.start({ acl: { rootToken: 'root', tokens: { reader: { serviceRead } } } });
    seed('a', await listen());
    const rig = await open({ options: { token: 'reader', emptyGrace: 0 } });
    const watch = rig.watch('world');
    await watch.next();
    await consul.untilHeld(1);
    serviceRead.pop();
    seed('b', await listen());
    while (rig.registry.discovery.state().problems.length === 0) await new Promise((next) => setImmediate(next));
    expect(rig.registry.discovery.state().problems.join()).to.contain('the token may not see world');
    // Nothing else is asked for, so nothing is known to be as it was.
    expect(rig.registry.discovery.state().freshness).to.equal('stale');
    serviceRead.push('world');
    // Nothing was shown in between.
    expect(idsOf(await watch.next())).to.deep.equal(['a', 'b']);
  });

  describe('lists nothing any more', () => {
    it('keeps instances that accept connections', async () => {
      const [one, other] = [await listen(), await listen()];
      seed('a', one);
      seed('b', other);
      const rig = await open();
      const watch = rig.watch('world');
      await watch.next();
      await consul.untilHeld(1);
      consul.forget();
      consul.dropConnections();
      while (rig.registry.discovery.state().counts?.['empty-suppressed'] !== 1) {
        await new Promise((next) => setImmediate(next));
      }
      // They come back, one by one.
      seed('a', one);
      const snapshot = await watch.next();
      expect(idsOf(snapshot)).to.deep.equal(['a', 'b']);
      expect(rig.logger.messages('warn').join()).to.contain('kept while they accept connections');
    });

    it('and gives up those that refuse connections', async () => {
      seed('a', await listen());
      const rig = await open();
      const watch = rig.watch('world');
      await watch.next();
      await consul.untilHeld(1);
      await stop();
      consul.store.deregister('a');
      await watch.until((snapshot) => idsOf(snapshot).length === 0 && !snapshot.exists);
    });

    it('and keeps none for longer than the grace', async () => {
      seed('a', await listen());
      const rig = await open({ options: { emptyGrace: 30 } });
      const watch = rig.watch('world');
      await watch.next();
      await consul.untilHeld(1);
      consul.forget();
      consul.dropConnections();
      await watch.until((snapshot) => !snapshot.exists);
    });
  });

  it('keeps instances whose leases all ran out while they accept connections, and gives up one whose check failed', async () => {
    const [one, other] = [await listen(), await listen()];
    seed('a', one);
    seed('b', other);
    const rig = await open();
    const watch = rig.watch('world');
    await watch.next();
    await consul.untilHeld(1);
    consul.setCheck('service:b', 'critical', 'HTTP GET http://x: 500');
    expect(idsOf(await watch.next())).to.deep.equal(['a']);
    await consul.untilHeld(1);
    consul.setCheck('service:a', 'critical', 'TTL expired');
    const next = await watch.next();
    expect(idsOf(next)).to.deep.equal(['a']);
    await stop();
    const last = await watch.until((snapshot) => idsOf(snapshot).length === 0);
    expect(last.instances.map(({ status }) => status)).to.deep.equal(['DOWN', 'DOWN']);
  });

  describe('was started again with its state, and takes every check for critical until somebody has looked:', () => {
    const silence = (id: string): void => consul.setCheck(`service:${id}`, 'critical', '');

    async function watchOf(...checks: readonly object[]): Promise<Snapshots> {
      for (const [at, Check] of checks.entries()) {
        consul.seed({ Name: 'world', ID: 'abc'[at] ?? '', Address: '127.0.0.1', Port: await listen(), Check });
      }
      const watch = (await open()).watch('world');
      await watch.next();
      await consul.untilHeld(1);
      return watch;
    }

    it('instances are kept whose checks are made by the agent or kept up by Mesher, while they accept connections', async () => {
      const watch = await watchOf(
        { Name: 'Mesher', TTL: '1h', Status: 'passing' },
        { GRPC: '127.0.0.1:1', Interval: '1h', Status: 'passing' },
      );
      for (const id of ['a', 'b']) silence(id);
      expect(idsOf(await watch.next())).to.deep.equal(['a', 'b']);
      await consul.untilHeld(1);
      consul.setCheck('service:b', 'critical', 'connection refused');
      expect(idsOf(await watch.next())).to.deep.equal(['a']);
    });

    it('instances are kept whose checks others keep up, when Consul was away a moment ago, and are given up when it was not', async () => {
      const watch = await watchOf(...Array<object>(2).fill({ TTL: '1h', Status: 'passing' }));
      silence('a');
      expect(idsOf(await watch.next())).to.deep.equal(['b']);
      await consul.untilHeld(1);
      consul.dropConnections();
      await consul.untilHeld(0);
      await consul.untilHeld(1);
      silence('b');
      expect(idsOf(await watch.next())).to.deep.equal(['b']);
    });
  });

  it('asks for everything when the machine wakes, whose connections may be dead', async () => {
    seed('a', 1);
    const { time, ...ports } = fakePorts();
    let asleepMs = 0;
    const clock = { now: () => time.now(), wallTime: () => time.wallTime() + asleepMs };
    const rig = await open({ ports: { ...ports, clock } });
    await rig.watch('world').next();
    // The shortest interval between two questions.
    while (time.pendingTimers < 2) await new Promise((next) => setImmediate(next));
    time.advance(10);
    await consul.untilHeld(1);
    const isWhole = (asked: Asked): boolean => isQuestion(asked) && !asked.query.has('index');
    const before = consul.asked.filter(isWhole).length;
    asleepMs = 3_600_000;
    time.advance(5_000);
    await consul.untilAsked(isWhole, before + 1);
    expect(rig.registry.discovery.state()).to.deep.include({ freshness: 'fresh', counts: {} });
  });

  it('asks no more than one question at a time, however Consul answers', async () => {
    const rig = await open({ options: { minInterval: 1 } });
    consul.steering.holdsAnswers = true;
    rig
      .watch('world')
      .next()
      .catch(() => {});
    rig
      .watch('world')
      .next()
      .catch(() => {});
    await consul.untilAsked(isQuestion);
    await new Promise((resolve) => setImmediate(resolve));
    expect(consul.asked.filter(isQuestion)).to.have.length(1);
  });

  it('ends within its bound when the agent hangs, and leaves no question behind', async () => {
    seed('a', 1);
    const rig = await open();
    await rig.watch('world').next();
    await consul.untilHeld(1);
    await rig.close();
    await consul.untilHeld(0);
  });
});

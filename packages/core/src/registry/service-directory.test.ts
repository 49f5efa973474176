import { expect } from 'chai';
import { roundRobin } from '../loadbalance/round-robin.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts, settle, type FakeTime } from '../testing/fake-ports.js';
import { httpInstance } from '../testing/instances.js';
import { ScriptedDiscovery } from '../testing/scripted-discovery.js';
import { silentLogger } from '../telemetry/logger.js';
import type { ServiceDiscovery } from './contracts.js';
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from './directory-options.js';
import type { Endpoint } from './endpoint.js';
import { ServiceDirectory } from './service-directory.js';
import type { ServicePlan } from './service-plan.js';

interface Rig {
  readonly directory: ServiceDirectory;
  readonly discovery: ScriptedDiscovery;
  readonly time: FakeTime;
  /** Endpoints that the directory gave up. */
  readonly retired: Endpoint[];
}

function rig(options: Partial<DirectoryOptions> = {}): Rig {
  const { time, ...ports } = fakePorts();
  const discovery = new ScriptedDiscovery();
  const all = { ...DEFAULT_DIRECTORY_OPTIONS, ...options };
  const directory = new ServiceDirectory(discovery, ports, silentLogger(), roundRobin, all);
  const retired: Endpoint[] = [];
  directory.onRetired((endpoint) => retired.push(endpoint));
  return { directory, discovery, time, retired };
}

function hosts(plan: ServicePlan | undefined): string[] {
  return (plan as ServicePlan).candidates('http').endpoints.map(({ host }) => host);
}

describe('the service directory', () => {
  it('watches a service from its first call on, and once', async () => {
    const { directory, discovery } = rig();
    expect(discovery.begun('world')).to.equal(0);
    const plan = directory.plan('world');
    expect(directory.plan('world')).to.equal(plan);
    await settle();
    expect(discovery.begun('world')).to.equal(1);
  });

  it('compiles each snapshot into the same plan', async () => {
    const { directory, discovery } = rig();
    const plan = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    expect(hosts(plan)).to.deep.equal(['10.0.0.1']);
    discovery.publish('world', [httpInstance('10.0.0.2:80')]);
    await settle();
    expect(hosts(directory.plan('world'))).to.deep.equal(['10.0.0.2']);
    expect(directory.plan('world')).to.equal(plan);
  });

  it('tells every listener of an endpoint that leaves', async () => {
    const { directory, discovery, retired } = rig();
    const second: Endpoint[] = [];
    directory.onRetired((endpoint) => second.push(endpoint));
    const plan = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    hosts(plan);
    discovery.publish('world', []);
    await settle();
    expect(retired.map(({ key }) => key)).to.deep.equal(['10.0.0.1:80']);
    expect(second).to.deep.equal(retired);
  });

  it('lists the plans of what it watches', () => {
    const { directory } = rig();
    directory.plan('world');
    directory.plan('hello');
    expect(directory.plans.map(({ service }) => service)).to.deep.equal(['world', 'hello']);
  });
});

describe('the wait for the first answer', () => {
  it('ends with the first snapshot, for all that wait, and leaves no timer but the sweeper', async () => {
    const { directory, discovery, time } = rig();
    directory.plan('world');
    let awake = 0;
    const waits = Array.from({ length: 3 }, () => directory.whenKnown('world').then(() => awake++));
    await settle();
    expect(awake).to.equal(0);
    expect(time.pendingTimers).to.equal(2);
    discovery.publish('world', []);
    await Promise.all(waits);
    expect(time.pendingTimers).to.equal(1);
  });

  it('is none for a service of which the registry has answered', async () => {
    const { directory, discovery } = rig();
    discovery.publish('world', []);
    directory.plan('world');
    await settle();
    await directory.whenKnown('world');
  });

  it('begins the watch for a service that nobody asked for before', async () => {
    const { directory, discovery } = rig();
    discovery.publishAbsent('nobody');
    await directory.whenKnown('nobody');
    expect(directory.plan('nobody')?.state).to.equal('absent');
  });

  it('ends after firstAnswerTimeout, counted from the first call: who comes later does not wait again', async () => {
    const { directory, discovery, time } = rig({ firstAnswerTimeout: 5_000 });
    const plan = directory.plan('world');
    let awake = 0;
    void directory.whenKnown('world').then(() => awake++);
    await time.advanceAsync(4_000);
    void directory.whenKnown('world').then(() => awake++);
    expect(awake).to.equal(0);
    await time.advanceAsync(1_000);
    expect(awake).to.equal(2);
    expect(plan?.state).to.equal('pending');
    await directory.whenKnown('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    expect(plan?.state).to.equal('known');
  });

  it('ends when the directory is closed', async () => {
    const { directory, time } = rig();
    directory.plan('world');
    const wait = directory.whenKnown('world');
    directory.close();
    await wait;
    expect(time.pendingTimers).to.equal(0);
  });
});

describe('trouble with the registry', () => {
  for (const [how, stumble] of [
    ['throws', (discovery: ScriptedDiscovery) => discovery.fail('world')],
    ['ends the watch', (discovery: ScriptedDiscovery) => discovery.end('world')],
  ] as const) {
    it(`that ${how} leaves the last good snapshot in use, and the service is watched again`, async () => {
      const { directory, discovery, time, retired } = rig();
      const plan = directory.plan('world');
      discovery.publish('world', [httpInstance('10.0.0.1:80')]);
      await settle();
      expect(hosts(plan)).to.deep.equal(['10.0.0.1']);
      discovery.refuse(new Error('connection refused'));
      stumble(discovery);
      await time.advanceAsync(120_000, 5_000);
      expect([plan?.state, hosts(plan), retired]).to.deep.equal(['known', ['10.0.0.1'], []]);
      discovery.refuse(undefined);
      await time.advanceAsync(30_000, 1_000);
      discovery.publish('world', [httpInstance('10.0.0.2:80')]);
      await settle();
      expect(hosts(plan)).to.deep.equal(['10.0.0.2']);
    });
  }

  it('that never answers leaves a service pending, and keeps the plans of others as they are', async () => {
    const { directory, discovery, time } = rig();
    const pending = directory.plan('silent');
    const known = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await time.advanceAsync(20_000, 5_000);
    expect([pending?.state, known?.state]).to.deep.equal(['pending', 'known']);
  });

  it('does not empty a service, but the word of the registry that there is none does', async () => {
    const { directory, discovery } = rig();
    const plan = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    hosts(plan);
    discovery.publishAbsent('world');
    await settle();
    expect([plan?.state, hosts(plan)]).to.deep.equal(['absent', []]);
  });
});

describe('giving up services', () => {
  it('happens after idleTtl without a call, retires the endpoints and ends the watch', async () => {
    const { directory, discovery, time, retired } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const plan = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    hosts(plan);
    await time.advanceAsync(50_000, 10_000);
    expect(directory.plans).to.have.lengthOf(1);
    await time.advanceAsync(10_000);
    expect(directory.plans).to.have.lengthOf(0);
    expect([retired.length, discovery.running('world')]).to.deep.equal([1, 0]);
  });

  it('happens after absentTtl for a name that the registry does not know', async () => {
    const { directory, discovery, time } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    directory.plan('wrold');
    discovery.publishAbsent('wrold');
    await time.advanceAsync(10_000);
    expect(directory.plans).to.have.lengthOf(0);
    expect(discovery.running('wrold')).to.equal(0);
  });

  it('does not happen while a call is under way, however long it takes', async () => {
    const { directory, discovery, time, retired } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const plan = directory.plan('world') as ServicePlan;
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    plan.calls = 1;
    hosts(plan);
    await time.advanceAsync(600_000, 10_000);
    expect(directory.plan('world')).to.equal(plan);
    expect(retired).to.deep.equal([]);
    plan.calls = 0;
    plan.lastUsedAt = time.now();
    await time.advanceAsync(50_000, 10_000);
    expect(directory.plan('world')).to.equal(plan);
    await time.advanceAsync(10_000);
    expect(directory.plans).to.deep.equal([]);
  });

  it('makes the next call watch again, with new endpoints', async () => {
    const { directory, discovery, time } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const before = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    const [endpoint] = before?.candidates('http').endpoints ?? [];
    await time.advanceAsync(60_000, 10_000);
    const after = directory.plan('world');
    await settle();
    expect(after).to.not.equal(before);
    expect(after?.pick(new FakeCall(), undefined)?.key).to.equal(endpoint?.key);
    expect(after?.pick(new FakeCall(), undefined)).to.not.equal(endpoint);
  });
});

describe('room for services', () => {
  it('is made by names that the registry does not know, oldest first, so that they never shut out a real one', async () => {
    const { directory, discovery } = rig({ maxServices: 3 });
    directory.plan('made-up-1');
    directory.plan('made-up-2');
    discovery.publishAbsent('made-up-1');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    const world = directory.plan('world') as ServicePlan;
    await settle();
    for (let i = 3; i < 100; i++) {
      expect(directory.plan(`made-up-${i}`)?.state).to.equal('pending');
    }
    expect(directory.plan('world')).to.equal(world);
    const hello = directory.plan('hello');
    expect(hello?.service).to.equal('hello');
    expect(directory.plans.map(({ service }) => service)).to.have.members(['world', 'made-up-99', 'hello']);
    await settle();
    expect([discovery.running('made-up-1'), discovery.running('world')]).to.deep.equal([0, 1]);
  });

  it('is not made by names for which a call waits', async () => {
    const { directory } = rig({ maxServices: 2 });
    const waiting = directory.plan('waiting') as ServicePlan;
    waiting.calls = 1;
    directory.plan('idle');
    directory.plan('another');
    expect(directory.plans.map(({ service }) => service)).to.deep.equal(['waiting', 'another']);
    (directory.plan('another') as ServicePlan).calls = 1;
    expect(directory.plan('one-more')).to.equal(undefined);
    await settle();
  });

  it('is made by a service that ceased to exist', async () => {
    const { directory, discovery } = rig({ maxServices: 1 });
    directory.plan('gone');
    discovery.publish('gone', []);
    await settle();
    expect(directory.plan('world')).to.equal(undefined);
    discovery.publishAbsent('gone');
    await settle();
    expect(directory.plan('world')?.service).to.equal('world');
  });

  it('is made by a real service only after nobody called it for absentTtl, and is looked for once a second', async () => {
    const { directory, discovery, time } = rig({ maxServices: 1, absentTtl: 30_000, idleTtl: 600_000 });
    const world = directory.plan('world') as ServicePlan;
    discovery.publish('world', []);
    await settle();
    time.advance(29_500);
    expect(directory.plan('hello')).to.equal(undefined);
    time.advance(500);
    expect(directory.plan('hello'), 'looked for half a second ago').to.equal(undefined);
    time.advance(500);
    expect(directory.plan('hello')?.service).to.equal('hello');
    expect(directory.plans).to.not.include(world);
  });
});

describe('the list of everything', () => {
  it('feeds the IP index, which stays the same object', async () => {
    const { directory, discovery } = rig();
    const { ipIndex } = directory;
    discovery.publishAll([httpInstance('10.0.0.1:80')]);
    await directory.followAll();
    expect(ipIndex.byIp('10.0.0.1')?.service).to.equal('world');
    expect(ipIndex.byAddress('10.0.0.1', 80)?.service).to.equal('world');
    expect(directory.listed).to.have.lengthOf(1);
    discovery.publishAll([]);
    await settle();
    expect(ipIndex.byIp('10.0.0.1')).to.equal(undefined);
  });

  it('is followed once, however often it is asked for', async () => {
    const { directory, discovery } = rig();
    discovery.publishAll([]);
    await Promise.all([directory.followAll(), directory.followAll()]);
    await directory.followAll();
    expect(discovery.begun()).to.equal(1);
  });

  it('stays as it was while the registry has trouble', async () => {
    const { directory, discovery, time } = rig();
    discovery.publishAll([httpInstance('10.0.0.1:80')]);
    await directory.followAll();
    discovery.refuse(new Error('down'));
    discovery.fail();
    await time.advanceAsync(60_000, 1_000);
    expect(directory.ipIndex.byIp('10.0.0.1')?.service).to.equal('world');
    expect(discovery.begun()).to.be.greaterThan(1);
  });

  it('is not waited for when the registry has none', async () => {
    const ports = fakePorts();
    const scripted = new ScriptedDiscovery();
    const discovery: ServiceDiscovery = {
      name: 'without a list',
      watch: (query, signal) => scripted.watch(query, signal),
      state: () => scripted.state(),
      close: () => scripted.close(),
    };
    const directory = new ServiceDirectory(discovery, ports, silentLogger(), roundRobin);
    await directory.followAll();
    expect(directory.listed).to.deep.equal([]);
  });

  it('is no longer waited for once the directory is closed', async () => {
    const { directory, time } = rig();
    const first = directory.followAll();
    await settle();
    directory.close();
    await first;
    expect(time.pendingTimers).to.equal(0);
  });
});

describe('a closed directory', () => {
  it('has no timer and no watch left', async () => {
    const { directory, discovery, time } = rig();
    directory.plan('world');
    directory.plan('hello');
    void directory.followAll();
    await settle();
    expect(time.pendingTimers).to.be.greaterThan(0);
    directory.close();
    await settle();
    expect(time.pendingTimers).to.equal(0);
    expect([discovery.running('world'), discovery.running('hello'), discovery.running()]).to.deep.equal([0, 0, 0]);
    await time.advanceAsync(120_000, 10_000);
    expect(discovery.begun('world')).to.equal(1);
  });

  it('watches nothing any more, and does not let a call wait', async () => {
    const { directory, discovery, time } = rig();
    directory.close();
    expect(directory.plan('world')?.state).to.equal('pending');
    await directory.whenKnown('world');
    expect([discovery.begun('world'), time.pendingTimers]).to.deep.equal([0, 0]);
  });

  it('that was never asked leaves nothing behind, even unclosed', () => {
    expect(rig().time.pendingTimers).to.equal(0);
  });
});

import { expect } from 'chai';
import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import { fakePorts, settle } from '../testing/fake-ports.js';
import { httpInstance } from '../testing/instances.js';
import { ScriptedDiscovery } from '../testing/scripted-discovery.js';
import { silentLogger } from '../telemetry/logger.js';
import type { ServiceDiscovery } from './contracts.js';
import type { Endpoint } from './endpoint.js';
import { DEFAULT_DIRECTORY_OPTIONS } from './directory-options.js';
import { ServiceDirectory } from './service-directory.js';
import type { ServicePlan } from './service-plan.js';
import { directoryRig as rig } from '../testing/directory-rig.js';

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

  it('keeps services watched that nobody calls, from its start on and while somebody names them', async () => {
    const { directory, discovery, time } = rig();
    const owner = {};
    directory.keepWatched(owner, new Set(['early']));
    expect(directory.plans).to.deep.equal([]);
    void directory.followAll();
    directory.keepWatched(owner, new Set(['early', 'late']));
    const named = (): string[] => directory.plans.map(({ service }) => service);
    expect(named()).to.deep.equal(['early', 'late']);
    for (const service of ['early', 'late']) discovery.publish(service, [httpInstance('10.0.0.1:80')]);
    await settle();
    directory.keepWatched(owner, new Set(['late']));
    time.advance(DEFAULT_DIRECTORY_OPTIONS.idleTtl * 2);
    expect(named()).to.deep.equal(['late']);
    expect(discovery.begun('late')).to.equal(1);
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
    const directory = new ServiceDirectory(discovery, ports, silentLogger(), steadyBalancing(ports));
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

describe('a look at a service that asks nobody', () => {
  it('finds the plan of a watched service, and makes one for a listed service without watching it', async () => {
    const { directory, discovery } = rig();
    discovery.publishAll([httpInstance('10.0.0.1:80', { service: 'World' })]);
    await directory.followAll();
    const listed = directory.preview('world');
    expect([listed?.watched, listed?.plan.service, listed?.plan.candidates('http').endpoints.length]).to.deep.equal([
      false,
      'World',
      1,
    ]);
    expect(discovery.begun('World')).to.equal(0);
    const plan = directory.plan('World');
    expect(directory.preview('World')).to.deep.equal({ plan, watched: true });
    expect(directory.preview('nobody')).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { systemPorts } from '@mesher/core';
import { FAULT_MODES, type FaultMode } from '@mesher/core/testing';
import { CountingTimers } from '../testing/herd/counting-timers.js';
import { ANSWER_MS, eventually, isFind, isHeartbeat, timesLost, useFaultRig, Watched } from './testing/fault-rig.js';

const BLACK_HOLE: FaultMode = FAULT_MODES['black hole'] ?? {};
const SLOW: FaultMode = { toClient: { kind: 'delay', ms: 3_000 } };

describe('service-center behind a bad network', () => {
  const fault = useFaultRig({ pingIntervalMs: 20 });

  const partitions: Readonly<Record<string, FaultMode>> = {
    'nothing passes': BLACK_HOLE,
    'no answer comes back': FAULT_MODES['no answers'] ?? {},
    'an answer stops in its head': { toClient: { kind: 'truncate', afterBytes: 60, ending: 'silence' } },
  };
  for (const [what, mode] of Object.entries(partitions)) {
    it(`fault 4 (partition): is noticed by a time limit, and everybody stays, when ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      await rig.register();
      const world = new Watched(rig);
      await world.until('a');
      const { discovery, registrator } = rig.registry;
      await fault().proxy.set(mode);
      await eventually(() => discovery.state().lastError?.includes('no answer within') === true);
      expect(discovery.state()).to.include({ freshness: 'stale' });
      registrator.beatNow();
      await eventually(() => registrator.problems.length > 0);
      await fault().seed('b');
      await fault().proxy.heal();
      await world.until('a', 'b');
      await eventually(() => registrator.problems.length === 0);
      expect(world.neverLacked('a')).to.equal(true);
      expect(timesLost(rig)).to.equal(0);
    });
  }

  it('fault 4 (partition): one that outlasts the lease costs nobody its place', async () => {
    const rig = await fault().registry({ yaml: 'servicecomb.registry.watch: true\n' });
    await rig.register({}, await fault().application());
    const [before] = fault().registered;
    const own = new Watched(rig, 'caller');
    const { center, proxy, callerId } = fault();
    await own.until(before?.instanceId ?? '');
    await center.untilWatchers(1);
    await proxy.set(BLACK_HOLE);
    // Of which service-center tells by an event that nobody gets: no connection outlives such a time.
    center.registry.tenant('default/default').instances.remove(callerId, before?.instanceId ?? '');
    proxy.cut('reset');
    await eventually(() => rig.registry.discovery.state().freshness === 'stale');
    await proxy.heal();
    const finds = center.asked.filter(isFind).length;
    await center.untilAsked(isFind, finds + 3);
    rig.registry.registrator.beatNow();
    await eventually(() => fault().registered.length === 1);
    expect(fault().registered[0]?.instanceId).to.equal(before?.instanceId);
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 2);
    expect([own.ids, own.neverLacked(before?.instanceId ?? '')]).to.deep.equal([[before?.instanceId], true]);
  });

  it('fault 4 (partition): a watch that is half-open is given up for the silence, and connected again', async () => {
    await fault().seed('a');
    const yaml = 'servicecomb.registry.watch: true\n';
    const rig = await fault().registry({ yaml, refreshIntervalMs: 3_600_000, options: { socketSilence: 150 } });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    const { proxy, center } = fault();
    await center.untilWatchers(1);
    // As after a firewall that forgot its connections: new ones work, and the old ones are never told.
    const { accepted } = proxy.counts;
    await proxy.set(({ number }) => (number <= accepted ? { toClient: { kind: 'silence' } } : {}));
    await fault().seed('b');
    await world.until('a', 'b');
    await center.untilAsked(({ path }) => path.endsWith('/watcher'), 2);
    expect(world.neverLacked('a')).to.equal(true);
  });

  it('fault 4 (partition): heartbeats over a half-open websocket go on as requests', async () => {
    const yaml = 'servicecomb.registry.heartbeat.mode: ping-pong\n';
    const rig = await fault().registry({ yaml, options: { socketSilence: 150 } });
    await rig.register();
    const { proxy, center } = fault();
    await center.steering.until(() => center.heartbeats.count === 1);
    const { accepted } = proxy.counts;
    await proxy.set(({ number }) => (number <= accepted ? { toClient: { kind: 'silence' } } : {}));
    await center.untilAsked(isHeartbeat);
    await eventually(() => rig.registry.registrator.problems.length === 0);
    expect(fault().registered).to.have.length(1);
    expect(timesLost(rig)).to.equal(0);
  });

  const broken: Readonly<Record<string, FaultMode>> = {
    refuses: 'refuse',
    resets: { resets: true },
    'is silent': BLACK_HOLE,
    'is slow': SLOW,
    'speaks nonsense': FAULT_MODES['garbage for a start line'] ?? {},
  };
  for (const [how, mode] of Object.entries(broken)) {
    it(`fault 5 (one of n addresses): goes on with the others while one ${how}, and comes back to it`, async () => {
      await fault().seed('a');
      const good = await fault().anotherProxy();
      const { proxy } = fault();
      await proxy.set(mode);
      const address = `[${proxy.url}, ${good.url}]`;
      // Only what never answers is told by the time; for the others, a busy machine must not run out of it.
      const timeout = mode === BLACK_HOLE || mode === SLOW ? '1s' : '5s';
      const rig = await fault().registry({ address, timeout, options: { quarantine: 100 } });
      await rig.register();
      const world = new Watched(rig);
      await world.until('a');
      await eventually(() => good.counts.toClient > 3_000);
      expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      await proxy.heal();
      const before = proxy.counts.toClient;
      await proxy.until(({ toClient }) => toClient > before + 1_500);
      expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      expect(timesLost(rig)).to.equal(0);
    });
  }

  it('fault 5 (one of n addresses): leaves one that failed alone until a probe finds it well', async () => {
    await fault().seed('a');
    const good = await fault().anotherProxy();
    const { proxy } = fault();
    await proxy.set({ resets: true });
    const address = `[${proxy.url}, ${good.url}]`;
    const rig = await fault().registry({ address, timeout: '5s', options: { quarantine: 3_600_000 } });
    const world = new Watched(rig);
    await world.until('a');
    await eventually(() => good.counts.toClient > 6_000);
    expect(proxy.counts.accepted).to.be.at.most(1);
  });

  it('fault 5 (one of n addresses): the watch stays with one, and goes to another when that is gone', async () => {
    const other = await fault().anotherProxy();
    const { proxy, center } = fault();
    const yaml = 'servicecomb.registry.watch: true\n';
    const address = `[${proxy.url}, ${other.url}]`;
    const rig = await fault().registry({ address, yaml, refreshIntervalMs: 3_600_000, timeout: '5s' });
    await rig.register();
    await center.untilWatchers(1);
    await fault().seed('a');
    const world = new Watched(rig);
    await world.until('a');
    expect(center.asked.filter(({ path }) => path.endsWith('/watcher'))).to.have.length(1);
    // One is gone, then the other: the watch was with one of them.
    await proxy.kill();
    await proxy.heal();
    await center.untilWatchers(1);
    await other.kill();
    await eventually(() => center.asked.filter(({ path }) => path.endsWith('/watcher')).length > 1);
    await center.untilWatchers(1);
    await fault().seed('b');
    await world.until('a', 'b');
    expect(world.neverLacked('a')).to.equal(true);
  });

  it('fault 10 (slow answers): never has more than one question under way, however often it would ask', async () => {
    const serviceId = await fault().seed('a');
    const ports = systemPorts();
    const timers = new CountingTimers(ports.timers, ANSWER_MS);
    const yaml = 'servicecomb.registry.watch: true\n';
    const rig = await fault().registry({ refreshIntervalMs: 5, yaml, ports: { ...ports, timers } });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    const { center } = fault();
    await center.untilWatchers(1);
    const finds = (): number => center.asked.filter(isFind).length;
    const heartbeats = (): number => center.asked.filter(isHeartbeat).length;
    const { instances } = center.registry.tenant('default/default');
    center.steering.holdsAnswers = true;
    const before = finds();
    for (let round = 1; round <= 5; round++) {
      const beaten = heartbeats();
      for (const status of ['DOWN', 'UP'] as const) instances.setStatus(serviceId, 'a', status);
      rig.registry.registrator.beatNow();
      await eventually(() => finds() >= before + round && heartbeats() > beaten);
    }
    // A question, a heartbeat, the probe of an address and a watch that is connected again: one of each.
    expect(timers.most).to.be.within(2, 4);
    center.steering.holdsAnswers = false;
    await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
    expect(world.neverLacked('a')).to.equal(true);
  });

  it('fault 10 (slow answers): those that come in time are good ones, byte by byte', async () => {
    await fault().seed('a', 'b', 'c');
    await fault().proxy.set({ toClient: { kind: 'throttle', bytesPerSecond: 2_000 } });
    const rig = await fault().registry({ timeout: '5s', refreshIntervalMs: 3_600_000 });
    const world = new Watched(rig);
    await world.until('a', 'b', 'c');
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
  });

  it('fault 10 (slow answers): a reader that is slow gets the latest state, and not all that it missed', async () => {
    const serviceId = await fault().seed('a');
    const rig = await fault().registry();
    const slow = rig.watch('world');
    await slow.next();
    const quick = new Watched(rig);
    const { instances } = fault().center.registry.tenant('default/default');
    for (const status of ['DOWN', 'TESTING', 'STARTING', 'UP', 'OUTOFSERVICE'] as const) {
      instances.setStatus(serviceId, 'a', status);
      await eventually(() => quick.all.at(-1)?.instances[0]?.status === status);
    }
    expect((await slow.next()).instances[0]?.status).to.equal('OUTOFSERVICE');
  });
});

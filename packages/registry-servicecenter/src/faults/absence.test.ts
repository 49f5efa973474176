import { expect } from 'chai';
import type { Ports } from '@mesher/core';
import { FAULT_MODES, fakePorts } from '@mesher/core/testing';
import {
  ANSWER_MS,
  eventually,
  isFind,
  isHeartbeat,
  isRegistration,
  useFaultRig,
  Watched,
} from './testing/fault-rig.js';

const WATCHING = 'servicecomb.registry.watch: true\n';

describe('service-center that is not there', () => {
  const fault = useFaultRig();

  for (const mode of ['refuse', 'reset', 'no answers', 'garbage for a start line']) {
    it(`fault 1 (down at start): registers and finds as soon as it is there, after "${mode}"`, async () => {
      const { proxy } = fault();
      await fault().seed('a');
      await proxy.set(FAULT_MODES[mode] ?? {});
      const rig = await fault().registry();
      const world = new Watched(rig);
      let isRegistered = false;
      const registering = rig.register().then(() => (isRegistered = true));
      const { discovery, registrator } = rig.registry;
      await eventually(() => discovery.state().lastError !== undefined && registrator.problems.length > 0);
      expect(discovery.state()).to.include({ freshness: 'never', lastSuccessAt: undefined });
      // Nothing is said that nobody knows: neither "there is nobody" nor "there is no such service".
      expect([world.all.length, isRegistered]).to.deep.equal([0, false]);
      await proxy.heal();
      await registering;
      await world.until('a');
      expect(discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      expect(fault().registered).to.have.length(1);
    });
  }

  it('fault 1 (down at start): registers again after pauses that grow and are drawn at random', async () => {
    const ports = fakePorts();
    await fault().proxy.set('refuse');
    const options = { minRetryDelay: 1_000, maxRetryDelay: 30_000, quarantine: 3_600_000 };
    const rig = await fault().registry({ ports, options });
    void rig.register().catch(() => {});
    const next = (): number => (ports.time.nextTimerAt ?? Infinity) - ports.time.now();
    const pauses: number[] = [];
    for (let tries = 0; tries < 12; tries++) {
      // The address rests besides, and while an answer is awaited its time limit is the next timer.
      await eventually(() => ports.time.pendingTimers === 2 && next() !== 250);
      pauses.push(next());
      ports.time.advance(next());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Math.max(...pauses)).to.be.at.most(30_000);
    expect(Math.max(...pauses)).to.be.greaterThan(2_000);
    expect(new Set(pauses.map(Math.round)).size).to.equal(pauses.length);
  });

  it('fault 1 (down at start): looks for services again after pauses that grow and are drawn at random', async () => {
    const ports = fakePorts();
    const waits: number[] = [];
    const after: Ports['timers']['after'] = (ms, callback) => {
      waits.push(ms);
      return ports.timers.after(ms, callback);
    };
    const timers = { after, every: ports.timers.every.bind(ports.timers) };
    await fault().proxy.set('refuse');
    const options = { minRetryDelay: 1_000, maxRetryDelay: 30_000, quarantine: 3_600_000, hintDelay: 0 };
    const rig = await fault().registry({ ports: { ...ports, timers }, options });
    void new Watched(rig);
    // Besides, an answer is awaited for a while, and the address rests for about an hour.
    const pauses = (): readonly number[] => waits.filter((ms) => ms > 0 && ms !== ANSWER_MS && ms < 1_800_000);
    await eventually(() => {
      ports.time.advance(1_000);
      return pauses().length >= 12;
    });
    const [first = Infinity] = pauses();
    expect(first).to.be.at.most(1_000);
    expect(Math.max(...pauses())).to.be.within(4_000, 30_000);
    expect(new Set(pauses().map(Math.round)).size).to.equal(pauses().length);
  });

  it('fault 2 (restart, state kept): nothing changes for calls, and nobody is registered twice', async () => {
    await fault().seed('a');
    const rig = await fault().registry({ yaml: WATCHING });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    await fault().center.untilWatchers(1);
    const [before] = fault().registered;
    await fault().restart('keeps its memory');
    const { center } = fault();
    await center.untilWatchers(1);
    rig.registry.registrator.beatNow();
    await center.untilAsked(isHeartbeat);
    await center.untilAsked(isFind, 2);
    expect(center.asked.some(isRegistration)).to.equal(false);
    expect(fault().registered.map(({ instanceId }) => instanceId)).to.deep.equal([before?.instanceId]);
    expect(world.neverLacked('a')).to.equal(true);
    // What changes is told again over the new watch.
    const port = await fault().application();
    const instances = [{ instanceId: 'b', endpoints: [`rest://127.0.0.1:${port}`] }];
    center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', version: '2.0.0', instances });
    await world.until('a', 'b');
  });

  it('fault 3 (restart, state lost): comes back under its id with its status, because a question told it', async () => {
    const rig = await fault().registry();
    const lease = await rig.register();
    await lease.setStatus('DOWN');
    const [before] = fault().registered;
    await fault().seed('a');
    const world = new Watched(rig);
    await world.until('a');
    await fault().restart('loses its memory');
    await eventually(() => fault().registered.length === 1);
    expect(fault().registered[0]).to.include({ instanceId: before?.instanceId, status: 'DOWN' });
  });

  it('fault 3 (restart, state lost): comes back within one heartbeat when it asks for nothing', async () => {
    const ports = fakePorts();
    const rig = await fault().registry({ ports });
    await rig.register();
    const [before] = fault().registered;
    await fault().restart('loses its memory');
    ports.time.advance(5_000);
    await eventually(() => {
      // For a pause, in case that a kept connection was reset under the heartbeat.
      ports.time.advance(1);
      return fault().registered.length === 1;
    });
    expect(ports.time.now()).to.be.lessThan(10_000);
    expect(fault().registered[0]?.instanceId).to.equal(before?.instanceId);
  });

  it('fault 3 (restart, state lost): keeps those whom it does not list any more until they are back', async () => {
    await fault().seed('a', 'b');
    const rig = await fault().registry();
    await rig.register();
    const world = new Watched(rig);
    await world.until('a', 'b');
    const addresses = world.all.at(-1)?.instances.flatMap(({ addresses: of }) => [...of.values()]) ?? [];
    await fault().restart('loses its memory');
    await fault().center.untilAsked(isFind, 3);
    // One after the other they are registered again.
    for (const [index, instanceId] of ['a', 'b'].entries()) {
      const instances = [{ instanceId, endpoints: [`rest://127.0.0.1:${addresses[index]?.port ?? 0}`] }];
      fault().center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances });
      await fault().center.untilAsked(isFind, fault().center.asked.filter(isFind).length + 2);
    }
    expect([world.ids, world.neverLacked('a', 'b')]).to.deep.equal([['a', 'b'], true]);
  });
});

import { expect } from 'chai';
import { FAULT_MODES, fakePorts, type FaultMode } from '@mesher/core/testing';
import { eventually, isHeartbeat, isQuestion, timesLost, useFaultRig, Watched } from './testing/fault-rig.js';

describe('Consul that is not there', () => {
  const fault = useFaultRig();

  for (const mode of ['refuse', 'reset', 'no answers', 'garbage for a start line']) {
    it(`fault 1 (down at start): registers and finds as soon as it is there, after "${mode}"`, async () => {
      const { proxy, consul } = fault();
      await fault().seed('a');
      await proxy.set(FAULT_MODES[mode] ?? {});
      const rig = await fault().registry();
      const world = new Watched(rig);
      let isRegistered = false;
      const registering = rig.register().then(() => (isRegistered = true));
      const { discovery, registrator } = rig.registry;
      await eventually(() => discovery.state().lastError !== undefined && registrator.problems.length > 0);
      expect(discovery.state()).to.include({ freshness: 'never', lastSuccessAt: undefined });
      expect([world.all.length, isRegistered]).to.deep.equal([0, false]);
      await proxy.heal();
      await registering;
      await world.until('a');
      expect(discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      expect(consul.store.services().filter(({ Service }) => Service === 'caller')).to.have.length(1);
    });
  }

  it('fault 2 (restart, state kept): nothing changes for calls, and nobody is registered twice', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    const { proxy, consul } = fault();
    await proxy.kill();
    await eventually(() => rig.registry.discovery.state().freshness === 'stale');
    await proxy.heal();
    await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
    rig.registry.registrator.beatNow();
    await consul.untilAsked(isHeartbeat, fault().count(isHeartbeat) + 1);
    expect(timesLost(rig)).to.equal(0);
    expect(world.neverLacked('a')).to.equal(true);
    await fault().seed('b');
    await world.until('a', 'b');
  });

  it('fault 2 (restart, state kept): an index that goes back is begun anew, and what changes is seen', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a');
    const { consul } = fault();
    const [first] = world.all.at(-1)?.instances ?? [];
    const port = [...(first?.addresses.values() ?? [])][0]?.port ?? 0;
    consul.forget(1);
    fault().seedAt('a', port);
    await fault().untilAskedAgain(3);
    await fault().seed('b');
    await world.until('a', 'b');
    expect(world.neverLacked('a')).to.equal(true);
    // It is no busy loop: each question is held.
    const before = fault().count(isQuestion);
    await fault().untilAskedAgain(2);
    expect(fault().count(isQuestion)).to.be.at.most(before + 3);
  });

  it('fault 3 (restart, state lost): comes back under its id with its status within one heartbeat', async () => {
    const ports = fakePorts();
    const rig = await fault().registry({ ports });
    const lease = await rig.register();
    await lease.setStatus('DOWN');
    const [before] = fault().consul.store.services();
    await fault().restart();
    const begunAt = ports.time.now();
    await eventually(() => {
      ports.time.advance(10);
      return fault().consul.store.services().length === 1;
    });
    expect(ports.time.now() - begunAt).to.be.at.most(15_000);
    expect(fault().consul.store.services()[0]?.ID).to.equal(before?.ID);
    await eventually(() => fault().consul.store.check(`service:${before?.ID ?? ''}`)?.Status !== 'passing');
    expect(rig.registry.discovery.state().counts?.['re-registered']).to.equal(1);
  });

  it('fault 3 (restart, state lost): keeps those whom it does not list any more until they are back', async () => {
    await fault().seed('a', 'b');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a', 'b');
    const known = world.all.at(-1)?.instances.map((one) => [one.instanceId, [...one.addresses.values()][0]?.port ?? 0]);
    await fault().restart();
    await fault().untilAskedAgain(3);
    for (const [id, port] of known ?? []) {
      fault().seedAt(String(id), Number(port));
      await fault().untilAskedAgain(2);
    }
    expect([world.ids, world.neverLacked('a', 'b')]).to.deep.equal([['a', 'b'], true]);
  });

  const silent: Readonly<Record<string, FaultMode>> = {
    'nothing passes': FAULT_MODES['black hole'] ?? {},
    'no answer comes back': FAULT_MODES['no answers'] ?? {},
    'an answer stops in its head': { toClient: { kind: 'truncate', afterBytes: 60, ending: 'silence' } },
  };
  for (const [what, mode] of Object.entries(silent)) {
    it(`fault 4 (partition): a held question is given up after its time, and everybody stays, when ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      await rig.register();
      const world = new Watched(rig);
      await world.until('a');
      const { discovery, registrator } = rig.registry;
      await fault().consul.untilHeld(1);
      await fault().proxy.set(mode);
      await eventually(() => discovery.state().lastError?.includes('no answer within') === true);
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

  it('fault 4 (partition): one that outlasts all leases costs nobody its place', async () => {
    await fault().seed('a', 'b');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a', 'b');
    const { consul, proxy } = fault();
    await proxy.set(FAULT_MODES['black hole'] ?? {});
    for (const id of ['a', 'b']) consul.setCheck(`service:${id}`, 'critical', 'TTL expired');
    await eventually(() => rig.registry.discovery.state().freshness === 'stale');
    proxy.cut('reset');
    await proxy.heal();
    await fault().untilAskedAgain(3);
    for (const id of ['a', 'b']) consul.setCheck(`service:${id}`, 'passing');
    await fault().untilAskedAgain(2);
    expect([world.ids, world.neverLacked('a', 'b')]).to.deep.equal([['a', 'b'], true]);
  });
});

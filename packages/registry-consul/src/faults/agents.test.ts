import { expect } from 'chai';
import { FAULT_MODES, type FaultMode } from '@mesher/core/testing';
import { eventually, isQuestion, timesLost, useFaultRig, Watched } from './testing/fault-rig.js';

describe('an agent of Consul that is slow or dead', () => {
  const fault = useFaultRig();

  const broken: Readonly<Record<string, FaultMode>> = {
    refuses: 'refuse',
    resets: { resets: true },
    'is silent': FAULT_MODES['black hole'] ?? {},
    'is slow': { toClient: { kind: 'delay', ms: 600 } },
    'speaks nonsense': FAULT_MODES['garbage for a start line'] ?? {},
  };
  for (const [how, mode] of Object.entries(broken)) {
    it(`fault 5 (one of n addresses): goes on with the other while one ${how}`, async () => {
      await fault().seed('a');
      const good = await fault().anotherProxy();
      const { proxy } = fault();
      const rig = await fault().registry({ address: `[${proxy.url}, ${good.url}]` });
      await rig.register();
      const world = new Watched(rig);
      await world.until('a');
      // All went to the first; now the other has to do.
      if (mode === 'refuse') await proxy.kill();
      else await proxy.set(mode);
      await fault().seed('b');
      await world.until('a', 'b');
      await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
      const { accepted } = proxy.counts;
      await fault().untilAskedAgain(4);
      // It stays with the one that answers.
      expect(proxy.counts.accepted).to.equal(accepted);
      expect(world.neverLacked('a')).to.equal(true);
      // And comes back when that one fails.
      await proxy.heal();
      await good.kill();
      await fault().seed('c');
      await world.until('a', 'b', 'c');
    });
  }

  it('fault 10 (slow answers): never has more than one question for a service under way', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    const { consul, proxy } = fault();
    consul.steering.holdsAnswers = true;
    const before = fault().count(isQuestion);
    for (let round = 1; round <= 4; round++) {
      rig.registry.registrator.beatNow();
      await eventually(() => fault().count(isQuestion) >= before + round);
    }
    // One question, one heartbeat, and kept connections: each that was given up has taken its own with it.
    await proxy.until(({ open }) => open <= 4);
    consul.steering.holdsAnswers = false;
    await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
    expect(world.neverLacked('a')).to.equal(true);
    expect(timesLost(rig)).to.equal(0);
  });

  it('fault 10 (slow answers): a reader that is slow gets the latest state, and not all that it missed', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    const slow = rig.watch('world');
    await slow.next();
    const quick = new Watched(rig);
    await quick.until('a');
    for (const status of ['critical', 'passing', 'critical', 'passing'] as const) {
      fault().consul.setCheck('service:a', status, 'connection refused');
      await eventually(() => quick.ids.length === (status === 'passing' ? 1 : 0));
    }
    await fault().seed('b');
    await quick.until('a', 'b');
    expect((await slow.next()).instances).to.have.length(2);
  });

  it('fault 11 (answers doubled, late or lost): the same answer twice is no change, and a lost one is asked for again', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a');
    // Held questions end without a change again and again.
    await fault().untilAskedAgain(4);
    expect(world.all).to.have.length(1);
    for (let times = 0; times < 5; times++) {
      // The change and the end of the connection in the same moment: the answer is lost.
      await fault().seed(`x${times}`);
      fault().proxy.cut('reset');
    }
    await world.until('a', 'x0', 'x1', 'x2', 'x3', 'x4');
    expect(world.neverLacked('a')).to.equal(true);
  });
});

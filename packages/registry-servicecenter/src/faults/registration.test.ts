import { expect } from 'chai';
import { FAULT_MODES, fakePorts, type Fault } from '@mesher/core/testing';
import { eventually, isHeartbeat, isRegistration, timesLost, useFaultRig } from './testing/fault-rig.js';

describe('a registration in service-center', () => {
  const fault = useFaultRig();

  it('fault 15 (graceful stop): leaves before anything else ends', async () => {
    const rig = await fault().registry();
    await rig.register();
    await rig.close();
    const { center } = fault();
    expect(fault().registered).to.deep.equal([]);
    expect(center.asked.at(-1)?.method).to.equal('DELETE');
  });

  for (const mode of ['no answers', 'black hole', 'refuse', 'truncated and silent']) {
    it(`fault 15 (graceful stop): is over within five seconds whatever service-center does, "${mode}"`, async () => {
      const ports = fakePorts();
      const rig = await fault().registry({ ports, timeout: '1m', yaml: 'servicecomb.registry.watch: true\n' });
      await rig.register();
      await fault().center.untilWatchers(1);
      await fault().proxy.set(FAULT_MODES[mode] ?? {});
      let isClosed = false;
      const closing = rig.close().then(() => (isClosed = true));
      await ports.time.advanceAsync(4_000, 100);
      if (mode === 'black hole') expect(isClosed).to.equal(false);
      await ports.time.advanceAsync(1_000, 100);
      await closing;
      const { accepted } = fault().proxy.counts;
      // Sockets that were left behind would keep the process from its end.
      await fault().proxy.heal();
      await fault().proxy.until(({ open }) => open === 0);
      expect(fault().proxy.counts.accepted).to.equal(accepted);
    });
  }

  it('fault 16 (flapping): answers that are lost make no second instance, nor a second service', async () => {
    const { proxy, center } = fault();
    const lost: Fault = { kind: 'truncate', afterBytes: 20, ending: 'reset' };
    await proxy.set({ toClient: lost });
    const rig = await fault().registry();
    const registering = rig.register();
    await center.untilAsked(({ path }) => path.endsWith('/existence'), 3);
    // Of three connections, one works: sooner or later all but the last answers come back.
    await proxy.set(({ number }) => (number % 3 === 0 ? {} : { toClient: lost }));
    await center.untilAsked(isRegistration, 1);
    await proxy.set({ toClient: lost });
    await proxy.heal();
    await registering;
    expect(fault().registered).to.have.length(1);
    const ids = center.asked
      .filter(isRegistration)
      .map(({ text }) => (JSON.parse(text) as { instance: { instanceId: string } }).instance.instanceId);
    expect(new Set(ids).size).to.equal(1);
    const services = center.registry.tenant('default/default').services.list();
    expect(services.filter(({ serviceName }) => serviceName === 'caller')).to.have.length(1);
  });

  it('fault 16 (flapping): all that notice the loss at once register once', async () => {
    const rig = await fault().registry();
    const lease = await rig.register();
    const { center } = fault();
    const [before] = fault().registered;
    center.registry.forget();
    const { registrator } = rig.registry;
    for (let times = 0; times < 20; times++) registrator.beatNow();
    await Promise.all([lease.setStatus('DOWN'), lease.setStatus('UP'), lease.setStatus('TESTING')]);
    await eventually(() => fault().registered.length === 1);
    expect(fault().registered[0]).to.include({ instanceId: before?.instanceId, status: 'TESTING' });
    expect(timesLost(rig)).to.equal(1);
  });

  it('fault 16 (flapping): a server that forgets at once what it was told is not asked in a storm', async () => {
    const ports = fakePorts();
    const rig = await fault().registry({ ports, timeout: '1m' });
    await rig.register();
    const { center } = fault();
    const count = (fits: typeof isHeartbeat): number => center.asked.filter(fits).length;
    const begunAt = ports.time.now();
    for (let times = 1; times <= 4; times++) {
      center.registry.forget();
      await eventually(() => {
        ports.time.advance(50);
        return count(isRegistration) === times + 1;
      });
      await eventually(() => fault().registered.length === 1);
    }
    // One heartbeat and one registration for each interval, whatever the answers take.
    const intervals = Math.ceil((ports.time.now() - begunAt) / 4_000) + 1;
    expect(count(isHeartbeat)).to.be.at.most(intervals);
    expect(count(isRegistration)).to.equal(5);
  });
});

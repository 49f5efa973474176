import { expect } from 'chai';
import { eventually, isFind, useFaultRig, Watched } from './testing/fault-rig.js';
import type { RegistryRig } from '../client/testing/registry-rig.js';

describe('events of service-center', () => {
  const fault = useFaultRig();
  let rig: RegistryRig;
  let world: Watched;
  let serviceId: string;

  async function start(refreshIntervalMs: number, ...ids: readonly string[]): Promise<void> {
    serviceId = await fault().seed(...ids);
    rig = await fault().registry({ yaml: 'servicecomb.registry.watch: true\n', refreshIntervalMs });
    await rig.register();
    world = new Watched(rig);
    await world.until(...ids);
    await fault().center.untilWatchers(1);
  }

  /** Tells the caller something about an instance, whether it is so or not. */
  function tell(action: string, instanceId?: string, more: object = {}): void {
    const key = { tenant: 'default/default', environment: 'testing', appId: 'shop', serviceName: 'world' };
    const instance = instanceId === undefined ? undefined : { instanceId, serviceId, status: 'UP', ...more };
    fault().center.watchers.send(fault().callerId, JSON.stringify({ action, key, instance }));
  }

  async function untilAskedAgain(times = 2): Promise<void> {
    const { center } = fault();
    await center.untilAsked(isFind, center.asked.filter(isFind).length + times);
  }

  it('fault 11 (events doubled, late or lost): what an event says is asked for, and not believed', async () => {
    await start(15, 'a', 'b');
    // A late DELETE, one twice, an UPDATE of the past, news of somebody who is gone, and of everybody.
    tell('DELETE', 'a');
    tell('DELETE', 'a');
    tell('UPDATE', 'b', { status: 'DOWN' });
    tell('CREATE', 'gone', { endpoints: ['rest://127.0.0.1:1'] });
    tell('EXPIRE');
    tell('ERROR');
    tell('SOMETHING NEW', 'b');
    await untilAskedAgain(3);
    expect([world.ids, world.neverLacked('a', 'b'), world.all.length]).to.deep.equal([['a', 'b'], true, 1]);
  });

  it('fault 11 (events doubled, late or lost): a DELETE that was late does not count when all vanish later', async () => {
    await start(15, 'a');
    tell('CREATE', 'a');
    tell('DELETE', 'a');
    await untilAskedAgain(6);
    fault().center.registry.forget();
    await untilAskedAgain(3);
    expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
  });

  it('fault 11 (events doubled, late or lost): what no event told is found at the next interval', async () => {
    await start(15, 'a');
    fault().center.watchers.loses = true;
    await fault().seed('b');
    await world.until('a', 'b');
    fault().center.registry.tenant('default/default').instances.remove(serviceId, 'a');
    await world.until('b');
  });

  it('fault 11 (events doubled, late or lost): a storm of them is a few questions', async () => {
    await start(3_600_000, 'a');
    const before = fault().center.asked.filter(isFind).length;
    for (let times = 0; times < 500; times++) tell(times % 2 === 0 ? 'UPDATE' : 'CREATE', 'a');
    await fault().seed('b');
    await world.until('a', 'b');
    expect(fault().center.asked.filter(isFind).length - before).to.be.lessThan(50);
  });

  it('fault 11 (events doubled, late or lost): frames that are none leave the watch as it is', async () => {
    await start(3_600_000, 'a');
    const { watchers } = fault().center;
    for (const frame of ['', '{', 'null', '[]', '7', '"x"', '{"action":"UPDATE"}', '{"key":{"serviceName":7}}']) {
      watchers.send(fault().callerId, frame);
    }
    watchers.send(fault().callerId, `{"x":"${'y'.repeat(100_000)}"}`);
    await fault().seed('b');
    await world.until('a', 'b');
    expect(watchers.count).to.equal(1);
    await eventually(() => (rig.registry.discovery.state().counts?.['answer-rejected'] ?? 0) > 0);
    expect(rig.registry.discovery.state().problems.join().length).to.be.lessThan(5_000);
  });
});

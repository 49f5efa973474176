import { expect } from 'chai';
import type { Ports } from '@mesher/core';
import { FakeTime, fakePorts } from '@mesher/core/testing';
import { RegistryRig } from '../client/testing/registry-rig.js';
import type { Asked } from '../testing/http/listener.js';
import { ServiceCenterServer } from '../testing/service-center-server.js';

/** Of service-center, with the defaults: four intervals of 30 s. */
const LEASE_MS = 120_000;

const isRegistration = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/instances');
const isHeartbeat = ({ method, path }: Asked): boolean => method === 'PUT' && path.endsWith('/heartbeat');
const isBatch = ({ method, path }: Asked): boolean => method === 'PUT' && path.endsWith('/heartbeats');
const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');

describe('fault 14 (a stall longer than the lease): an instance', () => {
  /** The time that goes on for service-center while the client stands still. */
  let serverTime: FakeTime;
  let clientTime: FakeTime;
  /** How much further the wall clock of the client is than its timers know. */
  let asleepMs: number;
  let center: ServiceCenterServer;
  let rig: RegistryRig;

  beforeEach(async () => {
    serverTime = new FakeTime();
    clientTime = new FakeTime();
    asleepMs = 0;
    center = await ServiceCenterServer.start({ ports: { ...fakePorts(), clock: serverTime, timers: serverTime } });
    center.seed({ appId: 'shop', serviceName: 'world', environment: 'testing', instances: [{ instanceId: 'a' }] });
    const clock = { now: () => clientTime.now(), wallTime: () => clientTime.wallTime() + asleepMs };
    const ports: Ports = { clock, timers: clientTime, random: { next: () => 0.9 } };
    rig = await RegistryRig.open({ address: center.url, ports });
  });

  afterEach(async () => {
    await rig.close();
    await center.close();
  });

  const instances = (): number => center.registry.tenant('default/default').instances.count();

  /** Lets some milliseconds pass until it is done, for what waits for others a moment. */
  async function passing<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    void work.finally(() => (isDone = true));
    while (!isDone) {
      clientTime.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await work;
  }

  /** Ids under which instances registered, in the order in which they did. */
  const registered = (): readonly unknown[] =>
    center.asked
      .filter(isRegistration)
      .map(({ text }) => (JSON.parse(text) as { instance: { instanceId: string } }).instance.instanceId);

  it('beats as soon as its process goes on, and registers again under its id', async () => {
    await rig.register();
    expect(instances()).to.equal(2);
    serverTime.advance(LEASE_MS + 1_000);
    expect(instances()).to.equal(0);
    // All at once: what was due meanwhile is due now, and nothing after that.
    clientTime.advance(LEASE_MS + 1_000);
    await center.untilAsked(isRegistration, 2);
    expect(center.asked.filter(isHeartbeat)).to.have.length(1);
    const [first, second] = registered();
    expect(first).to.equal(second);
  });

  it('of several in one process registers again with the others, found by one heartbeat for all', async () => {
    await rig.register({}, 8_081);
    await rig.register({}, 8_082);
    await rig.register({}, 8_083);
    serverTime.advance(LEASE_MS + 1_000);
    clientTime.advance(LEASE_MS + 1_000);
    await center.untilAsked(isRegistration, 6);
    expect(center.asked.filter(isBatch)).to.have.length(1);
    const ids = registered();
    expect([...ids.slice(3)].sort()).to.deep.equal([...ids.slice(0, 3)].sort());
  });

  it('over a WebSocket registers again when that says that it is lost', async () => {
    await rig.close();
    const yaml = 'servicecomb.registry.heartbeat.mode: ping-pong\n';
    rig = await RegistryRig.open({ address: center.url, yaml, options: { reconnectSpread: 1 } });
    await rig.register();
    await center.steering.until(() => center.heartbeats.count === 1);
    center.registry.tenant('default/default').instances.stop();
    center.dropSockets();
    await center.untilAsked(isRegistration, 2);
  });

  it('whose machine slept, so that its timers know nothing of it, beats and asks within seconds of waking', async () => {
    await rig.register();
    await passing(rig.watch('world').next());
    const finds = center.asked.filter(isFind).length;
    expect(center.asked.filter(isHeartbeat)).to.have.length(0);
    serverTime.advance(600_000);
    asleepMs = 600_000;
    clientTime.advance(5_000);
    await center.untilAsked(isRegistration, 2);
    expect(center.asked.filter(isHeartbeat)).to.have.length(1);
    await passing(center.untilAsked(isFind, finds + 1));
  });
});

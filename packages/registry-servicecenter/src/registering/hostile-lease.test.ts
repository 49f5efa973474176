import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { Heartbeats } from './heartbeats.js';
import { HeartbeatSocket } from './heartbeat-socket.js';

const isRegistration = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/instances');
const isStatus = ({ path }: Asked): boolean => path.endsWith('/status');

describe('a registration in a service-center that behaves badly', () => {
  const closing: (() => Promise<unknown>)[] = [];

  async function start(): Promise<{ readonly center: ServiceCenterServer; readonly rig: RegistryRig }> {
    const center = await ServiceCenterServer.start();
    const rig = await RegistryRig.open({ address: center.url, yaml: 'servicecomb.registry.heartbeat.interval: 5s\n' });
    closing.push(async () => {
      await rig.close();
      await center.close();
    });
    return { center, rig };
  }

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it('comes back although it is refused for good in the meantime', async () => {
    const { center, rig } = await start();
    await rig.register();
    center.registry.forget();
    // Heartbeats are told that the instance is gone, and whatever is in between refuses the rest.
    rig.registry.registrator.beatNow();
    await center.untilAsked(({ path }) => path.endsWith('/heartbeat'));
    center.failure = { status: 400, body: '{"errorCode":"400001","errorMessage":"Invalid parameter(s)"}' };
    await center.untilAsked(({ path }) => path.endsWith('/existence'), 3);
    center.failure = undefined;
    await center.untilAsked(isRegistration, 2);
    expect(rig.registry.discovery.state().counts).to.include({ 're-registered': 1 });
  });

  it('sends one status at a time, so that the last one is the one that stays', async () => {
    const { center, rig } = await start();
    const lease = await rig.register();
    const before = center.asked.filter(isStatus).length;
    center.steering.holdsAnswers = true;
    const first = lease.setStatus('DOWN');
    const second = lease.setStatus('UP');
    const third = lease.setStatus('DOWN');
    await center.untilAsked(isStatus, before + 1);
    expect(center.asked.filter(isStatus)).to.have.length(before + 1);
    center.steering.holdsAnswers = false;
    await Promise.all([first, second, third]);
    // What it was told in the meantime and taken back is not worth a request.
    expect(center.asked.filter(isStatus).map(({ query }) => query.get('value'))).to.deep.equal(['UP', 'DOWN']);
  });

  it('is not asked after as fast as service-center says that it knows nobody', async () => {
    const ports = fakePorts();
    const beats: number[] = [];
    const center = {
      heartbeat: () => {
        beats.push(ports.time.now());
        heartbeats.hurry();
        return Promise.resolve();
      },
    };
    const registration = { key: { serviceId: 's', instanceId: 'i' }, tellStatus: () => Promise.resolve() };
    const heartbeats: Heartbeats = new Heartbeats(
      ...([center, () => [registration], ports, new SilentLogger()] as unknown as [never, never, typeof ports, never]),
      { intervalMs: 30_000, pauses: { minRetryDelay: 500, maxRetryDelay: 30_000 }, onEvent: () => {} },
    );
    heartbeats.start();
    heartbeats.hurry();
    for (let step = 0; step < 40; step++) {
      await new Promise((resolve) => setImmediate(resolve));
      ports.time.advance(50);
    }
    await heartbeats.close();
    const gaps = beats.slice(1).map((at, index) => at - (beats[index] ?? 0));
    expect(gaps.length).to.be.within(2, 4);
    expect(Math.min(...gaps)).to.be.at.least(500);
  });

  it('is connected to less and less often by a WebSocket that is closed as soon as it is open', async () => {
    const ports = fakePorts();
    const ended = new AbortController();
    const pauses: number[] = [];
    let opened = 0;
    const center = {
      heartbeatSocket: (_key: unknown, events: { onOpen(): void; onEnd(end: object): void }) => {
        opened++;
        events.onOpen();
        setImmediate(() => events.onEnd({ opened: true, code: 1000, reason: '', status: undefined }));
        return Promise.resolve({ close: () => {} });
      },
    };
    const registration = { key: { serviceId: 's', instanceId: 'i' }, ended: ended.signal };
    const socket = new HeartbeatSocket(
      ...([registration, center, ports, new SilentLogger()] as unknown as [never, never, typeof ports, never]),
      { pauses: { minRetryDelay: 500, maxRetryDelay: 30_000, reconnectSpread: 500 }, onEvent: () => {} },
      () => {},
    );
    const running = socket.run();
    while (opened < 30) {
      await new Promise((resolve) => setImmediate(resolve));
      const at = ports.time.nextTimerAt;
      if (at === undefined) continue;
      pauses.push(at - ports.time.now());
      ports.time.advance(at - ports.time.now());
    }
    ended.abort();
    await running;
    expect(Math.max(...pauses.slice(0, 3))).to.be.at.most(4_000);
    expect(Math.max(...pauses.slice(10))).to.be.greaterThan(15_000);
  });
});

class SilentLogger {
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}

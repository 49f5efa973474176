import { expect } from 'chai';
import { FaultProxy, LeakCheck, type Holdings } from '@mesher/core/testing';
import { RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import { ServiceCenterServer } from '../testing/service-center-server.js';

const RECONNECTS = 1_000;
/** Compared in parts: what the engine learns in one of them it need not learn in the next, but a leak is in all of them. */
const PARTS = 5;
/** Idle connections and the like come and go; what leaks does so a thousand times. */
const SLACK = 12;
/** The engine keeps some hundred bytes of code for each of the first ones; a connection that is kept takes several thousand. */
const SLACK_BYTES_EACH = 1_000;
const TIMEOUT_MS = 120_000;

/** No pause is longer than a millisecond: it is about what is left behind. */
const AT_ONCE: RigSettings['options'] = {
  reconnectSpread: 1,
  minRetryDelay: 1,
  maxRetryDelay: 1,
  hintDelay: 1,
  quarantine: 10,
};

describe('fault 18 (leaks): a thousand reconnects', function () {
  this.timeout(TIMEOUT_MS);

  let center: ServiceCenterServer;
  let proxy: FaultProxy;
  let check: LeakCheck;
  let rig: RegistryRig | undefined;

  beforeEach(async () => {
    // What it remembers of a thousand requests would be taken for a leak.
    center = await ServiceCenterServer.start({ remembers: false });
    center.seed({ appId: 'shop', serviceName: 'world', environment: 'testing', instances: [{ instanceId: 'a' }] });
    proxy = await FaultProxy.start({ port: center.port });
    check = new LeakCheck();
  });

  afterEach(async () => {
    await rig?.close();
    await proxy.close();
    await center.close();
    check.close();
  });

  async function open(yaml: string, refreshIntervalMs = 3_600_000): Promise<RegistryRig> {
    const { ports } = check;
    rig = await RegistryRig.open({ address: proxy.url, yaml, options: AT_ONCE, refreshIntervalMs, ports });
    await rig.register();
    await rig.watch('world').next();
    return rig;
  }

  /** Without what the log of the test remembers. */
  async function take(): Promise<Holdings> {
    rig?.logger.lines.splice(0);
    return await check.take();
  }

  async function expectFlat(again: () => Promise<void>): Promise<void> {
    const held: Holdings[] = [];
    const each = RECONNECTS / PARTS;
    // The first part is for whatever is loaded late, and for pools to fill.
    for (let round = 0; round < RECONNECTS; round++) {
      await again();
      if ((round + 1) % each === 0) held.push(await take());
    }
    const grown = (of: (holdings: Holdings) => number): readonly number[] =>
      held.slice(1).map((holdings, index) => of(holdings) - of(held[index] as Holdings));
    expect(check.warnings).to.deep.equal([]);
    expect(Math.min(...grown(({ descriptors = 0 }) => descriptors)), 'descriptors').to.be.at.most(SLACK);
    expect(Math.min(...grown(({ timers }) => timers)), 'timers').to.be.at.most(SLACK);
    expect(Math.min(...grown(({ heapBytes }) => heapBytes)), 'bytes').to.be.at.most(each * SLACK_BYTES_EACH);
  }

  it('of both WebSockets, for the watch and for heartbeats, leave nothing behind', async () => {
    await open('servicecomb.registry: { watch: true, heartbeat: { mode: ping-pong } }\n');
    const are = (count: number): Promise<void> =>
      center.steering.until(() => center.watchers.count === count && center.heartbeats.count === count);
    await are(1);
    await expectFlat(async () => {
      center.dropSockets();
      await are(0);
      await are(1);
    });
  });

  it('after requests whose connection was reset leave nothing behind', async () => {
    await open('', 1);
    await proxy.set({ resets: true });
    await expectFlat(async () => {
      const { accepted } = proxy.counts;
      await proxy.until((counts) => counts.accepted > accepted);
    });
  });
});

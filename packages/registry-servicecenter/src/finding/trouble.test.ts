import { backoff } from '@mesher/core';
import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import { readInSlices } from './read-in-slices.js';

describe('service-center in trouble', () => {
  let center: ServiceCenterServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await center.close();
  });

  it('that hangs holds up neither a stop nor the answer of a watch that ends', async () => {
    const rig = await open({ yaml: 'servicecomb.registry.timeout: 100ms\n' });
    await rig.register();
    center.steering.holdsAnswers = true;
    const watched = rig
      .watch('world')
      .next()
      .catch((error: Error) => error.message);
    await rig.close();
    expect(await watched).to.equal('the watch has ended');
  });

  it('that answers no handshake of a WebSocket is connected to again', async () => {
    const isWatch = ({ path }: Asked): boolean => path.endsWith('/watcher');
    const rig = await open({ yaml: 'servicecomb.registry: { watch: true, timeout: 100ms }\n' });
    await rig.register();
    await center.untilWatchers(1);
    center.steering.holdsAnswers = true;
    const before = center.asked.filter(isWatch).length;
    center.dropSockets();
    await center.untilAsked(isWatch, before + 2);
  });

  it('that goes on saying that nothing has changed is asked for everything now and then', async () => {
    center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances: [{}] });
    const revisions = (): readonly unknown[] =>
      center.asked
        .filter(({ path }) => path.endsWith('/instances/action'))
        .flatMap(({ text }) => (JSON.parse(text) as { services: { rev?: string }[] }).services.map(({ rev }) => rev));
    const rig = await open({ refreshIntervalMs: 10, options: { fullRefresh: 30 } });
    await rig.watch('world').next();
    await center.steering.until(() => {
      const asked = revisions();
      const known = asked.findIndex((rev) => rev !== undefined);
      return known >= 0 && asked.lastIndexOf(undefined) > known;
    });
  });

  it('is not called fresh because nothing is asked of it', async () => {
    const rig = await open({ address: 'http://127.0.0.1:1', refreshIntervalMs: 5 });
    const ended = new AbortController();
    const iterator = rig.registry.discovery.watch({ service: 'world' }, ended.signal)[Symbol.asyncIterator]();
    const first = iterator.next();
    while (rig.registry.discovery.state().lastError === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    ended.abort();
    expect((await first).done).to.equal(true);
    expect(rig.registry.discovery.state()).to.include({ freshness: 'never', lastSuccessAt: undefined });
  });

  it('is asked by two hundred clients spread over at least ten seconds when it comes back', () => {
    // After some minutes of outage, each client waits for a part of the longest pause.
    const pauses = { minRetryDelay: 500, maxRetryDelay: 30_000 };
    const waits = Array.from({ length: 200 }, (_, seed) => backoff(fakePorts(seed + 1), 8, pauses)).sort(
      (a, b) => a - b,
    );
    expect((waits.at(-1) ?? 0) - (waits[0] ?? 0)).to.be.greaterThan(10_000);
    const busiest = Math.max(...waits.map((from) => waits.filter((at) => at >= from && at < from + 1_000).length));
    expect(busiest).to.be.lessThan(25);
  });

  it('breaks off a watch a thousand times, and nothing is left of any', async function () {
    this.timeout(60_000);
    const rig = await open({
      yaml: 'servicecomb.registry: { watch: true, refreshInterval: 1h }\n',
      options: { minRetryDelay: 1, maxRetryDelay: 1 },
    });
    await rig.register();
    for (let times = 1; times <= 1_000; times++) {
      await center.untilAsked(({ path }) => path.endsWith('/watcher'), times);
      await center.untilWatchers(1);
      center.dropSockets();
    }
    await center.untilWatchers(1);
    const sockets = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocketWrap'));
    // The server's side and ours of the watch, and of a few kept connections.
    expect(sockets.length).to.be.lessThan(20);
  });

  it('lists ten thousand instances without keeping others from their turn', async () => {
    const list = Array.from({ length: 10_000 }, (_, id) => ({
      instanceId: `i${id}`,
      endpoints: [`rest://10.0.${id >> 8}.${id & 255}:8080`],
      properties: { stage: 'x' },
    }));
    let turns = 0;
    let isReading = true;
    const count = (): void => {
      turns++;
      if (isReading) setImmediate(count);
    };
    setImmediate(count);
    const instances = await readInSlices(list, { service: 'world', app: 'shop' }, () => {});
    isReading = false;
    expect(instances).to.have.length(10_000);
    expect(turns).to.be.greaterThan(8);
  });
});

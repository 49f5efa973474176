import { expect } from 'chai';
import { eventually } from '@mesher/core/testing';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { idsOf, RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';

const WATCHING = 'servicecomb.registry: { watch: true, refreshInterval: 1h }\n';
const KEY = { appId: 'shop', serviceName: 'world' };

const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');
const isWatch = ({ path }: Asked): boolean => path.endsWith('/watcher');

/** What comes as an event, and whether it is counted as one that makes no sense. */
const FRAMES: readonly (readonly [words: string, text: string, isRejected: boolean])[] = [
  ['words', 'hello', true],
  ['half an event', '{"action":"CREATE","key":{"appId":"shop"', true],
  ['a list', '[]', true],
  ['nothing', '', true],
  ['null', 'null', true],
  ['an event without a key', '{"action":"UPDATE"}', true],
  ['a name that is none', '{"action":"UPDATE","key":{"serviceName":{"toString":1}}}', true],
  ['an instance that is none', JSON.stringify({ action: 'DELETE', key: KEY, instance: [null] }), false],
  ['EXPIRE without an instance', JSON.stringify({ action: 'EXPIRE', key: KEY }), false],
  ['an action that nobody knows', JSON.stringify({ action: { a: 1 }, key: KEY, instance: { instanceId: 7 } }), false],
  ['lists that never end', '['.repeat(500_000), true],
  ['names that objects have of their own', '{"__proto__":{"key":{"serviceName":"world"}},"constructor":1}', true],
];

describe('a watch of service-center that says', () => {
  let center: ServiceCenterServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, yaml: WATCHING, ...settings });
    rigs.push(rig);
    return rig;
  }

  function ownId(): string {
    const path = center.asked.find(isWatch)?.path ?? '';
    return /microservices\/([^/]+)\/watcher/.exec(path)?.[1] ?? '';
  }

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
    center.seed({ ...KEY, environment: 'testing', instances: [{ instanceId: 'a' }] });
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await center.close();
  });

  for (const [words, text, isRejected] of FRAMES) {
    it(`${words} changes nothing, and goes on`, async () => {
      const rig = await open();
      await rig.register();
      await center.untilWatchers(1);
      const world = rig.watch('world');
      expect(idsOf(await world.next())).to.deep.equal(['a']);
      center.watchers.send(ownId(), text);
      // The next event comes over the same connection, so the strange one was read before it.
      center.seed({ ...KEY, environment: 'testing', instances: [{ instanceId: 'b' }] });
      expect(idsOf(await world.until(({ instances }) => instances.length > 1))).to.deep.equal(['a', 'b']);
      const { counts = {}, problems } = rig.registry.discovery.state();
      expect(counts['answer-rejected']).to.equal(isRejected ? 1 : undefined);
      expect(problems.every(({ length }) => length < 300)).to.equal(true);
      expect(center.asked.filter(isWatch)).to.have.length(1);
    });
  }

  it('more than two megabytes in one frame is left, connected again, and counted', async () => {
    const rig = await open();
    await rig.register();
    await center.untilWatchers(1);
    await rig.watch('world').next();
    const before = center.asked.filter(isFind).length;
    center.watchers.send(ownId(), JSON.stringify({ padding: 'x'.repeat(3 * 1024 * 1024) }));
    await center.untilAsked(isWatch, 2);
    await eventually(() => (rig.registry.discovery.state().counts?.reconnected ?? 0) > 0);
    // Events may have been missed meanwhile.
    await center.untilAsked(isFind, before + 1);
  });

  it('the same a thousand times over asks a few times, and keeps a bounded list of complaints', async () => {
    const rig = await open({ options: { hintDelay: 20 } });
    await rig.register();
    await center.untilWatchers(1);
    const world = rig.watch('world');
    await world.next();
    const before = center.asked.filter(isFind).length;
    for (let times = 0; times < 1_000; times++) {
      center.watchers.send(ownId(), JSON.stringify({ action: 'UPDATE', key: KEY, instance: { instanceId: 'a' } }));
      center.watchers.send(ownId(), `nonsense ${times}`);
    }
    center.seed({ ...KEY, environment: 'testing', instances: [{ instanceId: 'b' }] });
    await world.until(({ instances }) => instances.length > 1);
    expect(center.asked.filter(isFind).length - before).to.be.lessThan(100);
    expect(rig.registry.discovery.state().problems.length).to.be.lessThan(110);
  });
});

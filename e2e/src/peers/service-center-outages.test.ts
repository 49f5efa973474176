import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { SteadyCalls } from '../support/load.js';
import { useScene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Sidecar } from '../support/sidecar.js';

/** Some hundred calls a second, over half a minute. */
const CALL_PAUSE_MS = 5;

describe('a real service-center that is killed', function () {
  this.timeout(120_000);
  const scene = useScene();
  let center: ServiceCenter;
  before(function () {
    requireServiceCenter(this);
  });
  beforeEach(async () => {
    center = await ServiceCenter.start(scene());
  });

  async function ids(): Promise<readonly string[]> {
    return (await center.instances('world')).map(({ instanceId }) => instanceId).sort();
  }

  async function view(sidecar: Sidecar): Promise<{ readonly freshness: string; readonly ageSeconds: number }> {
    const { registries } = await sidecar.services();
    return registries.find(({ name }) => name === 'servicecenter') ?? expect.fail('no such registry');
  }

  async function knowledgeIs(sidecar: Sidecar, freshness: 'fresh' | 'stale'): Promise<void> {
    await eventually(`what is known is ${freshness}`, async () => (await view(sidecar)).freshness === freshness);
  }

  /** Resolves after so many looks at service-center, one a second; heartbeats come every five seconds. */
  async function afterLooks(sidecar: Sidecar, count: number): Promise<void> {
    let [seen, age] = [0, Infinity];
    await eventually(`${count} looks`, async () => {
      const { ageSeconds } = await view(sidecar);
      if (ageSeconds < age) seen++;
      age = ageSeconds;
      return seen >= count;
    });
  }

  interface Outage {
    readonly title: string;
    readonly happens: () => Promise<void>;
  }

  const OUTAGES: readonly Outage[] = [
    { title: 'and comes back with its state', happens: () => center.kill() },
    { title: 'and comes back without any state', happens: () => center.loseState() },
  ];

  for (const { title, happens } of OUTAGES) {
    it(`${title} costs no call, and no instance is there twice`, async () => {
      const worlds = [await scene().service('world', { chassis: center.settings })];
      worlds.push(await scene().service('world', { chassis: center.settings }));
      const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis: center.settings });
      expect((await hello.call('http://world/')).status).to.equal(200);
      const before = await eventually('both instances', async () => {
        const listed = await ids();
        return listed.length === 2 && (await hello.instances('world')).length === 2 ? listed : undefined;
      });
      const calls = new SteadyCalls('http://world/', hello.outbound, CALL_PAUSE_MS);
      const during = async (count: number): Promise<void> => {
        const goal = calls.names.length + count;
        await eventually('calls go on', () => calls.names.length >= goal);
      };
      await during(100);
      await afterLooks(hello, 3);

      await happens();
      await knowledgeIs(hello, 'stale');
      await during(500);
      await center.start();
      await knowledgeIs(hello, 'fresh');
      const registered = await eventually('both are registered', async () => {
        const listed = await ids();
        return listed.length === 2 ? listed : undefined;
      });
      expect(registered).to.deep.equal(before);
      // Two heartbeats, and what a service-center that forgot has listed meanwhile was believed by now, or not.
      await afterLooks(hello, 12);
      await during(100);
      await calls.stop();

      expect(calls.failures).to.deep.equal([]);
      expect(await ids()).to.deep.equal(before);
      expect((await hello.instances('world')).sort()).to.deep.equal(
        worlds.map(({ sidecar }) => sidecar.inbound).sort(),
      );
      console.log(`      ${calls.names.length} calls, none failed`);
    });
  }

  it('before a sidecar starts delays its registration, and nothing else', async () => {
    await center.kill();
    // It is ready once it is registered.
    const starting = scene().service('world', { chassis: center.settings });
    await eventually('the sidecar meets nobody', () => scene().logs.includes('ECONNREFUSED'));
    await center.start();
    const { sidecar } = await starting;
    expect(await ids()).to.have.lengthOf(1);
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis: center.settings });
    expect((await hello.call('http://world/')).status).to.equal(200);
    expect(await hello.instances('world')).to.deep.equal([sidecar.inbound]);
  });

  it('in the middle of many starts registers everybody once', async () => {
    const starts = ['a', 'b', 'c'].map(() => scene().service('world', { chassis: center.settings }));
    await eventually('one of them is registered', async () => (await ids()).length > 0);
    await center.kill();
    await center.start();
    await Promise.all(starts);
    await eventually('all are registered', async () => (await ids()).length === starts.length);
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis: center.settings });
    await hello.call('http://world/');
    await eventually('all are found', async () => (await hello.instances('world')).length === starts.length);
    expect(await ids()).to.have.lengthOf(starts.length);
  });
});

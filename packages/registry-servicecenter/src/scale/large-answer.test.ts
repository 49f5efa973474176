import { expect } from 'chai';
import type { Instance, ServiceSnapshot } from '@mesher/core';
import { TurnMeter } from '@mesher/core/testing';
import { idsOf, RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import type { SeedInstance } from '../testing/seed.js';
import { ServiceCenterServer } from '../testing/service-center-server.js';

const COUNT = 10_000;
/** An answer about all of them has about 10 MB. */
const FILLER = 'ü'.repeat(300);
/** What `parseJsonInSlices` parses in one step, and `readingInstances` reads. */
const SLICE_BYTES = 128 * 1024;
const SLICE_ITEMS = 500;
const TIMEOUT_MS = 60_000;

function fleet(): readonly SeedInstance[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    instanceId: `i${index}`,
    endpoints: [`rest://10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8080`],
    properties: { filler: FILLER },
  }));
}

describe('fault 17 (huge answers): ten thousand instances in an answer of 10 MB', function () {
  this.timeout(TIMEOUT_MS);

  let center: ServiceCenterServer;
  let serviceId: string;
  let rig: RegistryRig | undefined;

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
    const key = { appId: 'shop', serviceName: 'world', environment: 'testing' };
    ({ serviceId } = center.seed({ ...key, instances: fleet() }));
  });

  afterEach(async () => {
    await rig?.close();
    await center.close();
  });

  async function open(settings: Omit<RigSettings, 'address'> = {}): Promise<RegistryRig> {
    rig = await RegistryRig.open({ address: center.url, ...settings });
    return rig;
  }

  const byId = ({ instances }: ServiceSnapshot): ReadonlyMap<string, Instance> =>
    new Map(instances.map((instance) => [instance.instanceId, instance]));

  it('are read in slices, between which others have their turn', async () => {
    const opened = await open();
    const [{ instances }, meter] = await TurnMeter.during(() => opened.watch('world').next());
    // The last piece that is parsed may be two slices; the reading begins after it.
    expect(meter.mostParsed).to.be.within(SLICE_BYTES / 4, 2 * SLICE_BYTES);
    expect(meter.turnsSinceParsing).to.be.at.least(COUNT / SLICE_ITEMS - 2);
    expect(instances).to.have.length(COUNT);
    expect(instances[7]?.metadata['filler']).to.equal(FILLER);
  });

  it('keep their objects when one of them changes, and that one alone is new', async () => {
    const opened = await open({ refreshIntervalMs: 10 });
    const world = opened.watch('world');
    const before = byId(await world.next());
    center.registry.tenant('default/default').instances.setStatus(serviceId, 'i5000', 'DOWN');
    const after = byId(await world.next());
    const changed = [...after].filter(([id, instance]) => before.get(id) !== instance);
    expect(changed.map(([id, { status }]) => [id, status])).to.deep.equal([['i5000', 'DOWN']]);
  });

  it('are no news when an answer says the same again', async () => {
    const opened = await open({ refreshIntervalMs: 10, options: { fullRefresh: 20 } });
    const world = opened.watch('world');
    const { revision } = await world.next();
    const isFull = ({ path, text }: { path: string; text: string }): boolean =>
      path.endsWith('/instances/action') && !text.includes('"rev"');
    // Two more answers without a revision, the last but one of which has been read when the last is asked for.
    await center.untilAsked(isFull, 4);
    center.registry.tenant('default/default').instances.setStatus(serviceId, 'i1', 'DOWN');
    expect((await world.next()).revision).to.equal(String(Number(revision) + 1));
  });

  it('are indexed by their addresses, and again only when something changed', async () => {
    const opened = await open({ yaml: 'servicecomb.registry.autoIPIndex: true\n', refreshIntervalMs: 10 });
    const lists = opened.registry.discovery.watchAll(opened.signal)[Symbol.asyncIterator]();
    const first = (await lists.next()).value as readonly Instance[];
    expect(first).to.have.length(COUNT);
    center.registry.tenant('default/default').instances.remove(serviceId, 'i9');
    const second = (await lists.next()).value as readonly Instance[];
    expect(second).to.have.length(COUNT - 1);
    const known = new Set(first);
    expect(second.every((instance) => known.has(instance))).to.equal(true);
  });

  it('are refused above maxResponseBytes, and what was known stays', async () => {
    center.registry.forget();
    center.seed({ appId: 'shop', serviceName: 'world', environment: 'testing', instances: [{ instanceId: 'a' }] });
    const opened = await open({ refreshIntervalMs: 10, options: { maxResponseBytes: 1_000_000 } });
    const world = opened.watch('world');
    expect(idsOf(await world.next())).to.deep.equal(['a']);
    center.seed({ appId: 'shop', serviceName: 'world', environment: 'testing', version: '2.0.0', instances: fleet() });
    while (opened.registry.discovery.state().lastError === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(opened.registry.discovery.state()).to.include({ freshness: 'stale' });
    expect(opened.registry.discovery.state().lastError).to.match(/larger than \S+maxResponseBytes/);
    const still = opened.watch('world');
    expect(idsOf(await still.next())).to.deep.equal(['a']);
  });
});

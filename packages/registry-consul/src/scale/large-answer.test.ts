import { expect } from 'chai';
import type { Instance, ServiceSnapshot } from '@mesher/core';
import { TurnMeter } from '@mesher/core/testing';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ConsulServer } from '../testing/index.js';

const COUNT = 10_000;
/** An answer about all of them has about 10 MB. */
const FILLER = 'x'.repeat(400);
/** What `parseJsonInSlices` parses in one step, and `readingInstances` reads. */
const SLICE_BYTES = 128 * 1024;
const SLICE_ITEMS = 500;
const TIMEOUT_MS = 60_000;

describe('fault 17 (huge answers): ten thousand instances in an answer of Consul', function () {
  this.timeout(TIMEOUT_MS);

  let consul: ConsulServer;
  let rig: RegistryRig | undefined;

  beforeEach(async () => {
    consul = await ConsulServer.start();
    for (let index = 0; index < COUNT; index++) {
      const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      consul.seed({ Name: 'world', ID: `i${index}`, Address: host, Port: 8080, Meta: { filler: FILLER } });
    }
  });

  afterEach(async () => {
    await rig?.close();
    await consul.close();
  });

  const byId = ({ instances }: ServiceSnapshot): ReadonlyMap<string, Instance> =>
    new Map(instances.map((instance) => [instance.instanceId, instance]));

  it('are read in slices, between which others have their turn, and keep their objects when one more comes', async () => {
    rig = await RegistryRig.open({ address: consul.url });
    const world = rig.watch('world');
    const [before, meter] = await TurnMeter.during(() => world.next());
    // The last piece that is parsed may be two slices; the reading begins after it.
    expect(meter.mostParsed).to.be.within(SLICE_BYTES / 4, 2 * SLICE_BYTES);
    expect(meter.turnsSinceParsing).to.be.at.least(COUNT / SLICE_ITEMS - 2);
    expect(before.instances).to.have.length(COUNT);
    consul.seed({ Name: 'world', ID: 'new', Address: '10.9.9.9', Port: 8080 });
    const after = byId(await world.next());
    const known = byId(before);
    expect([...after].filter(([id, instance]) => known.get(id) !== instance).map(([id]) => id)).to.deep.equal(['new']);
  });
});

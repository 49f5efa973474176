import { mkdir, rm, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { forEachBounded } from './files/io-gate.js';
import { formatRegistration } from './registrations/registration-file.js';
import { Fixture, worldInstance } from './testing/fixture.js';

describe('Five thousand registered instances', function () {
  this.timeout(60_000);
  const COUNT = 5_000;
  let at: Fixture;
  before(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco', '.instances', 'world'), { recursive: true });
    await forEachBounded(Array(COUNT).keys(), 4, (index) => register(`w-${String(index).padStart(5, '0')}`));
  });
  after(() => at.close());

  const file = (instanceId: string) => at.path('disco', '.instances', 'world', `${instanceId}.json`);
  const register = async (instanceId: string, version = '1.2.0') => {
    const record = { instance: worldInstance(instanceId, { version }), leaseMs: 3_600_000, owner: 'test' };
    await writeFile(file(instanceId), formatRegistration(record));
  };

  it('come as one snapshot, and every change of one as another', async () => {
    const reader = at.watch(at.real(), 'world');
    const first = await reader.next();
    expect(first.instances).to.have.length(COUNT);
    expect(first.instances.map(({ instanceId }) => instanceId)).to.include.members(['w-00000', 'w-04999']);
    await rm(file('w-02500'));
    const without = await reader.next();
    expect(without.instances).to.have.length(COUNT - 1);
    // Everything that did not change is the very same object, so that readers can compare quickly.
    expect(without.instances[4_000]).to.equal(first.instances[4_001]);
    await register('w-02500');
    expect((await reader.next()).instances).to.have.length(COUNT);
  });

  it('are read without holding up anything else', async () => {
    const fake = at.fake();
    let turns = 0;
    let reading = true;
    const snapshot = fake.see('world').finally(() => (reading = false));
    for (; reading; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await snapshot).instances).to.have.length(COUNT);
    expect(turns, 'turns of the event loop meanwhile').to.be.above(COUNT / 3);
  });
});

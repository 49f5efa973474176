import { mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { Fixture, worldInstance } from '../testing/fixture.js';

describe('the file registry in trouble', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco'));
  });
  afterEach(() => at.close());

  const write = (text: string): Promise<void> => writeFile(at.path('disco', 'world'), text);
  const { signal } = new AbortController();

  it('fault 1 (down at start): a folder that cannot be made is no answer, and is used as soon as it is there', async () => {
    await writeFile(at.path('in-the-way'), '');
    const fake = at.fake({ address: 'in-the-way/disco' });
    let isKnown = false;
    const first = at
      .watch(fake.registry, 'world')
      .next()
      .then((snapshot) => {
        isKnown = true;
        return snapshot;
      });
    await fake.pass(5_000);
    expect([isKnown, fake.registry.discovery.state().freshness]).to.deep.equal([false, 'never']);
    await rm(at.path('in-the-way'));
    await fake.pass(1_000);
    expect(await first).to.deep.include({ exists: false });
  });

  it('fault 3 (restart, state lost): a folder that was made anew keeps its services until their writers are back', async () => {
    await write('a 1');
    const fake = at.fake();
    const lease = await fake.registry.registrator.register(worldInstance('w-1'), signal);
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'w-1']);
    await rm(at.path('disco'), { recursive: true });
    await fake.pass(2_000);
    await mkdir(at.path('disco'));
    await fake.pass(5_000);
    expect(await fake.ids('world')).to.include('a:1');
    await write('b 2');
    // The own registration comes back with its next renewal.
    await fake.pass(10_000);
    expect(await fake.ids('world')).to.deep.equal(['b:2', 'w-1']);
    await lease.release();
  });

  it('fault 4 (partition): a volume that hangs makes what is known stale, and takes nothing away', async () => {
    await write('a 1');
    const fake = at.fake();
    const before = await fake.see('world');
    // No look can end in the meantime.
    fake.ports.time.advance(30_000);
    expect(fake.registry.discovery.state().freshness).to.equal('stale');
    await fake.registry.discovery.refresh();
    expect(fake.registry.discovery.state().freshness).to.equal('fresh');
    expect(await fake.see('world')).to.deep.equal(before);
  });

  it('fault 6 (empty answer): a file that is emptied is believed after a second, and not when it is written meanwhile', async () => {
    await write('a 1');
    const fake = at.fake();
    await fake.see('world');
    await truncate(at.path('disco', 'world'));
    await fake.pass(900);
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
    await write('b 2');
    expect(await fake.ids('world')).to.deep.equal(['b:2']);
    await truncate(at.path('disco', 'world'));
    await fake.see('world');
    await fake.pass(1_000);
    expect(await fake.see('world')).to.deep.include({ exists: true, instances: [] });
  });

  it('fault 7 (mass shrink): what somebody wrote is meant, however few are left', async () => {
    await write(Array.from({ length: 10 }, (_, id) => `h${id} 80\n`).join(''));
    const fake = at.fake();
    await fake.see('world');
    await write('h0 80\n');
    expect(await fake.ids('world')).to.deep.equal(['h0:80']);
  });

  for (const [what, text] of [
    ['a bad line', 'b 2\nnonsense\n'],
    ['bytes that are no text', '\u0000\u0001\ufffd 7 7 7\n'],
    ['a page', '<html>\n<body>502 Bad Gateway</body>\n</html>\n'],
    ['half of a line', 'b'],
  ] as const) {
    it(`fault 8 (malformed answer): keeps the last good state of the file and says where it is bad, after ${what}`, async () => {
      await write('a 1');
      const fake = at.fake();
      await fake.see('world');
      await write(text);
      expect(await fake.ids('world')).to.deep.equal(['a:1']);
      expect(fake.registry.discovery.state().problems.join()).to.contain('world:');
      await write('c 3');
      expect(await fake.ids('world')).to.deep.equal(['c:3']);
      expect(fake.registry.discovery.state().problems).to.deep.equal([]);
    });
  }

  it('fault 9 (bad entries): of a file that never was in order the good lines count', async () => {
    await write('a 1\nb 70000\nc 0\nd 4\n');
    const fake = at.fake();
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'd:4']);
    expect(fake.registry.discovery.state().problems).to.have.length(2);
  });

  it('fault 11 (events doubled, late or lost): a storm of renames ends with what the file says', async () => {
    await write('a 1');
    const registry = at.real();
    const reader = at.watch(registry, 'world');
    await reader.until(['a:1']);
    for (let round = 0; round < 50; round++) {
      await writeFile(at.path('draft'), `r${round} 80\n`);
      await rename(at.path('draft'), at.path('disco', 'world'));
    }
    const { exists } = await reader.until(['r49:80']);
    expect(exists).to.equal(true);
  });

  it('fault 15 (graceful stop): leaves nothing behind, also when the folder is gone', async () => {
    const fake = at.fake();
    const lease = await fake.registry.registrator.register(worldInstance('w-1'), signal);
    await lease.release();
    expect(await readdir(at.path('disco', '.instances'), { recursive: true })).to.not.include('world/w-1.json');
    const second = await fake.registry.registrator.register(worldInstance('w-2'), signal);
    await rm(at.path('disco'), { recursive: true });
    await writeFile(at.path('disco'), 'a file');
    await second.release().catch(() => undefined);
    await fake.registry.discovery.close();
    await rm(at.path('disco'));
    await mkdir(at.path('disco'));
  });
});

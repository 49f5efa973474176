import { readdir, readFile, rm, stat, utimes, writeFile, mkdir } from 'node:fs/promises';
import { expect } from 'chai';
import { Fixture, idsOf, worldInstance, type FakeRegistry } from './testing/fixture.js';

/** Wall-clock time at which the clocks of the tests begin. */
const START = 1_700_000_000_000;

describe('The lease of a registration', () => {
  let at: Fixture;
  const forever = new AbortController().signal;
  beforeEach(async () => {
    at = await Fixture.make();
  });
  afterEach(() => at.close());

  const folder = (service = 'world') => at.path('disco', '.instances', encodeURIComponent(service));
  const file = (name = 'w-1') => at.path('disco', '.instances', 'world', `${name}.json`);
  const mtime = async (name?: string) => (await stat(file(name))).mtimeMs;
  /** Registers in a process of which nothing more is heard: its clock stands still from then on. */
  const dead = async (name: string, changes: Parameters<typeof worldInstance>[1] = {}): Promise<FakeRegistry> => {
    const fake = at.fake();
    await fake.registry.registrator.register(worldInstance(name, changes), forever);
    return fake;
  };
  /** Gives a sign of life with a clock that is `skew` ms off. */
  const beat = async (reader: FakeRegistry, name: string, skew = 0) => {
    const seconds = (reader.ports.clock.wallTime() + skew) / 1000;
    await utimes(file(name), seconds, seconds);
  };

  it('is renewed three times per lease by touching the file, without rewriting it', async () => {
    const fake = at.fake();
    await fake.registry.registrator.register(worldInstance('w-1'), forever);
    const { ino } = await stat(file());
    const times = new Set([await mtime()]);
    expect([...times]).to.deep.equal([START]);
    for (let second = 0; second < 60; second += 1) {
      await fake.pass(1_000);
      times.add(await mtime());
    }
    expect(times.size).to.be.within(12, 17);
    const sorted = [...times].sort();
    for (const [index, time] of sorted.slice(1).entries())
      expect(time - (sorted[index] ?? 0)).to.be.within(4_000, 6_000);
    expect((await stat(file())).ino).to.equal(ino);
    expect(await fake.ids('world')).to.deep.equal(['w-1']);
  });

  it('that is not renewed ends after 15 s, and the others stay', async () => {
    const reader = at.fake();
    await reader.registry.registrator.register(worldInstance('alive'), forever);
    await dead('gone');
    expect(await reader.ids('world')).to.deep.equal(['alive', 'gone']);
    await reader.pass(14_000);
    expect(await reader.ids('world')).to.deep.equal(['alive', 'gone']);
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal(['alive']);
  });

  it('has the length that the file says, not that of the reader', async () => {
    const writer = at.fake({ leaseMs: 60_000 });
    await writer.registry.registrator.register(worldInstance('w-1'), forever);
    const reader = at.fake();
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
    await reader.pass(59_000);
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal([]);
  });

  it('that is over when a reader starts hides the instance until its owner gives a sign of life', async () => {
    await dead('w-1');
    await utimes(file(), START / 1000 - 20, START / 1000 - 20);
    const reader = at.fake();
    expect(await reader.ids('world')).to.deep.equal([]);
    await beat(reader, 'w-1');
    await reader.pass(5_000);
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
  });

  for (const [what, skew] of Object.entries({ behind: -3_600_000, ahead: 3_600_000 })) {
    it(`of an owner whose clock is an hour ${what} lasts while it beats and ends within two leases after it stops`, async () => {
      await dead('w-1');
      const reader = at.fake();
      await reader.see('world');
      for (let beats = 0; beats < 10; beats += 1) {
        await beat(reader, 'w-1', skew);
        await reader.pass(5_000);
        expect(await reader.ids('world'), `beat ${beats}`).to.deep.equal(['w-1']);
      }
      await reader.pass(30_000); // a skewed time does not say when the last beat was: it is timed from when it was noticed
      expect(await reader.ids('world')).to.deep.equal([]);
    });
  }

  it('is not ended by a reader that was held up: everybody gets a whole lease from then on', async () => {
    for (const name of ['w-1', 'w-2', 'w-3']) await dead(name);
    const reader = at.fake();
    await reader.see('world');
    reader.ports.time.advance(120_000); // the event loop stood still
    expect(await reader.ids('world')).to.deep.equal(['w-1', 'w-2', 'w-3']);
    await reader.pass(14_000);
    expect(await reader.ids('world')).to.deep.equal(['w-1', 'w-2', 'w-3']);
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal([]);
  });

  it('goes on when the folder is wiped: nobody left, so the instance stays until the lease is over', async () => {
    await dead('w-1');
    const reader = at.fake();
    await reader.see('world');
    await rm(at.path('disco', '.instances'), { recursive: true });
    await reader.pass(14_000);
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal([]);
  });

  it('goes on when the folder is wiped and its owner writes the file again', async () => {
    const owner = at.fake();
    await owner.registry.registrator.register(worldInstance('w-1'), forever);
    const reader = at.watch(owner.registry, 'world');
    const { revision } = await reader.next();
    await rm(at.path('disco', '.instances'), { recursive: true });
    await owner.pass(30_000);
    expect(await stat(file()))
      .to.have.property('size')
      .above(0);
    expect((await owner.see('world')).revision).to.equal(revision);
  });

  it('does not keep an instance whose file was taken away', async () => {
    await dead('w-1');
    await dead('w-2');
    const reader = at.fake();
    await reader.see('world');
    await rm(file('w-1'));
    expect(await reader.ids('world')).to.deep.equal(['w-2']);
  });

  it('of the last instance is followed by one lease in which the service still exists, then it does not', async () => {
    const reader = at.fake();
    const lease = await reader.registry.registrator.register(worldInstance('w-1'), forever);
    await reader.see('world');
    await lease.release();
    expect(await reader.see('world')).to.deep.include({ exists: true, instances: [] });
    await reader.pass(14_000);
    expect((await reader.see('world')).exists).to.equal(true);
    await reader.pass(1_000);
    expect((await reader.see('world')).exists).to.equal(false);
  });

  it('of the last instance is remembered by a reader that starts after it left', async () => {
    const owner = at.fake();
    const lease = await owner.registry.registrator.register(worldInstance('w-1'), forever);
    await lease.release();
    await utimes(folder(), START / 1000, START / 1000);
    const reader = at.fake();
    expect((await reader.see('world')).exists).to.equal(true);
    await reader.pass(15_000);
    expect((await reader.see('world')).exists).to.equal(false);
  });

  it('that comes back after the service was forgotten makes it exist again', async () => {
    const reader = at.fake();
    const { registrator } = reader.registry;
    const lease = await registrator.register(worldInstance('w-1'), forever);
    await reader.see('world');
    await lease.release();
    await reader.pass(16_000);
    expect((await reader.see('world')).exists).to.equal(false);
    await registrator.register(worldInstance('w-2'), forever);
    expect(await reader.see('world')).to.deep.include({ exists: true });
    expect(await reader.ids('world')).to.deep.equal(['w-2']);
  });

  it('means nothing for a file that is no registration: it is reported, and what a good one said before stays', async () => {
    await dead('w-1');
    const reader = at.fake();
    await reader.see('world');
    await writeFile(file('w-2'), '{"format":1,');
    await writeFile(file('w-1'), 'garbage');
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
    expect([...reader.registry.discovery.state().problems].sort()).to.deep.equal([
      'registration w-1 of world is no JSON (cut off?); what it said before stays in use',
      'registration w-2 of world is no JSON (cut off?)',
    ]);
  });

  it('means nothing for folders and files with strange names in the subfolder', async () => {
    await dead('w-1');
    await mkdir(at.path('disco', '.instances', 'two words'));
    await writeFile(at.path('disco', '.instances', 'README'), 'a file');
    await writeFile(at.path('disco', '.instances', 'world', 'notes.txt'), 'hello');
    const reader = at.fake();
    expect(await reader.ids('world')).to.deep.equal(['w-1']);
    expect(reader.registry.discovery.state().problems).to.deep.equal([
      '.instances/two words: stands for no service and is left out',
    ]);
  });

  it('bounds the number of instances that are read, and takes in the rest when there is room', async () => {
    for (const name of ['w-1', 'w-2', 'w-3']) await dead(name);
    const reader = at.fake({ maxInstances: 2 });
    const first = await reader.ids('world');
    expect(first).to.deep.equal(['w-1', 'w-2']);
    expect(reader.registry.discovery.state().problems[0]).to.match(/^1 registrations beyond maxInstances are left out/);
    await rm(file('w-1'));
    await reader.pass(1_000);
    await reader.pass(1_000);
    expect(await reader.ids('world')).to.deep.equal(['w-2', 'w-3']);
    expect(reader.registry.discovery.state().problems).to.deep.equal([]);
  });

  it('sees an edit in place of the same length within a minute, although it shows in nothing that a look can see', async () => {
    const owner = at.fake();
    await owner.registry.registrator.register(worldInstance('w-1'), forever);
    const reader = at.fake();
    await reader.see('world');
    const text = await readFile(file(), 'utf8');
    await writeFile(file(), text.replace('1.2.0', '9.9.9'));
    for (let second = 0; second < 75; second += 5) {
      await beat(reader, 'w-1');
      await reader.pass(5_000);
    }
    expect((await reader.see('world')).instances[0]?.version).to.equal('9.9.9');
  });

  describe('that ended long ago', () => {
    /** Lets a process that registers sweep twice, more than ten leases apart. */
    const sweepTwice = async (janitor: FakeRegistry) => {
      for (let round = 0; round < 5; round += 1) {
        await janitor.pass(30_000);
        janitor.ports.time.advance(60_000);
        await janitor.registry.discovery.refresh();
      }
    };

    it('leaves a file that the processes that register delete, with temporary files and empty folders', async () => {
      await dead('gone');
      await dead('gone', { service: 'hello' });
      await writeFile(at.path('disco', '.instances', 'world', '.gone.json.ab12.tmp'), '{');
      const janitor = at.fake();
      await janitor.registry.registrator.register(worldInstance('alive'), forever);
      for (let sweeps = 0; (await readdir(folder())).length > 1; sweeps += 1) {
        if (sweeps > 20) throw new Error(`still there: ${(await readdir(folder())).join()}`);
        await sweepTwice(janitor);
      }
      expect(await readdir(folder())).to.deep.equal(['alive.json']);
      for (let sweeps = 0; (await readdir(at.path('disco', '.instances'))).length > 1; sweeps += 1) {
        if (sweeps > 20) throw new Error('the empty folder is still there');
        await sweepTwice(janitor);
      }
      expect(idsOf(await janitor.see('world'))).to.deep.equal(['alive']);
    });

    it('is not mistaken for one that is only skewed: a beating file is never deleted', async () => {
      await dead('skewed');
      const janitor = at.fake();
      await janitor.registry.registrator.register(worldInstance('alive'), forever);
      for (let second = 0; second < 900; second += 5) {
        await beat(janitor, 'skewed', -3_600_000);
        await janitor.pass(5_000);
      }
      expect(await readdir(folder())).to.deep.equal(['alive.json', 'skewed.json']);
      expect(await janitor.ids('world')).to.deep.equal(['alive', 'skewed']);
    });
  });
});

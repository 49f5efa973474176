import { chmod, chown, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { skipBecause } from '@mesher/core/testing';
import { Fixture, idsOf, RecordingLogger, worldInstance } from './testing/fixture.js';

/** A user without rights on any Unix: `nobody`. */
const NOBODY = 65_534;

describe('The directory of the registry', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
  });
  afterEach(() => at.close());

  const write = async (service: string, text: string) => {
    await mkdir(at.path('disco'), { recursive: true });
    await writeFile(at.path('disco', service), text);
  };

  it('is made with those above it when it is missing at the start', async () => {
    const fake = at.fake({ address: 'deep/down/disco' });
    expect((await fake.see('world')).exists).to.equal(false);
    await writeFile(at.path('deep/down/disco/world'), 'a 1');
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
  });

  it('may be given as absolute path', async () => {
    await write('world', 'a 1');
    const fake = at.fake({ address: at.path('disco') });
    expect(fake.registry.root).to.equal(at.path('disco'));
    expect(await fake.ids('world')).to.deep.equal(['a:1']);
  });

  it('that cannot be made gives no answer and no error, until it can', async () => {
    await writeFile(at.path('file'), 'in the way');
    const fake = at.fake({ address: 'file/disco' });
    const reader = at.watch(fake.registry, 'world');
    const first = reader.next();
    await fake.registry.discovery.refresh();
    expect(fake.registry.discovery.state()).to.deep.include({ freshness: 'never', lastSuccessAt: undefined });
    expect(fake.registry.discovery.state().lastError).to.match(/file\/disco cannot be read: it does not exist/);
    await rm(at.path('file'));
    await fake.pass(1_000);
    expect(await first).to.deep.include({ exists: false });
    expect(fake.registry.discovery.state()).to.deep.include({ freshness: 'fresh', lastError: undefined });
  });

  it('that is deleted keeps its last good state, is stale, and is in use again when it comes back', async () => {
    const logger = new RecordingLogger();
    await write('world', 'a 1');
    const fake = at.fake({}, logger);
    const before = await fake.see('world');
    const { lastSuccessAt } = fake.registry.discovery.state();
    await rm(at.path('disco'), { recursive: true });
    await fake.pass(60_000);
    expect(await fake.see('world')).to.deep.equal(before);
    const state = fake.registry.discovery.state();
    expect(state).to.deep.include({ freshness: 'stale', lastSuccessAt });
    expect(state.lastError).to.match(/cannot be read: it does not exist$/);
    await mkdir(at.path('disco'));
    await fake.pass(5_000);
    expect(await fake.see('world')).to.deep.equal(before); // the files follow: their writer is not done
    await write('world', 'b 2');
    await fake.pass(1_000);
    expect(await fake.ids('world')).to.deep.equal(['b:2']);
    expect(fake.registry.discovery.state()).to.deep.include({ freshness: 'fresh', lastError: undefined });
    expect(logger.lines.filter((line) => line.includes('does not exist'))).to.have.length.within(2, 4);
  });

  it('that came back without its files loses them after a lease', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    await fake.see('world');
    await rm(at.path('disco'), { recursive: true });
    await fake.pass(1_000);
    await mkdir(at.path('disco'));
    await fake.pass(14_000);
    expect((await fake.see('world')).exists).to.equal(true);
    await fake.pass(2_000);
    expect((await fake.see('world')).exists).to.equal(false);
  });

  it('that is replaced by something else keeps its last good state', async () => {
    await write('world', 'a 1');
    const fake = at.fake();
    const before = await fake.see('world');
    await rename(at.path('disco'), at.path('away'));
    await writeFile(at.path('disco'), 'a file');
    await fake.pass(5_000);
    expect(await fake.see('world')).to.deep.equal(before);
    expect(fake.registry.discovery.state().lastError).to.match(/it is not a directory/);
    await rm(at.path('disco'));
    await symlink('disco', at.path('disco'));
    await fake.pass(5_000);
    expect(await fake.see('world')).to.deep.equal(before);
    expect(fake.registry.discovery.state().lastError).to.match(/ELOOP/);
    await rm(at.path('disco'));
    await symlink('away', at.path('disco'));
    await fake.pass(1_000);
    expect(fake.registry.discovery.state().freshness).to.equal('fresh');
    expect(idsOf(await fake.see('world'))).to.deep.equal(['a:1']);
  });

  it('keeps the registered instances too while it cannot be read, however long', async () => {
    const fake = at.fake();
    const lease = await fake.registry.registrator.register(worldInstance('w-1'), new AbortController().signal);
    await fake.see('world');
    await rename(at.path('disco'), at.path('away'));
    await writeFile(at.path('disco'), 'a file');
    await fake.pass(60_000);
    expect(await fake.ids('world')).to.deep.equal(['w-1']);
    await rm(at.path('disco'));
    await rename(at.path('away'), at.path('disco'));
    await lease.release();
  });

  it('is stale when a look at it does not come back, as on a network volume that hangs', async () => {
    const fake = at.fake();
    await fake.see('world');
    fake.ports.time.advance(30_000); // nothing is awaited: no look can end in the meantime
    expect(fake.registry.discovery.state()).to.deep.include({ freshness: 'stale', lastError: undefined });
    await fake.registry.discovery.refresh();
    expect(fake.registry.discovery.state().freshness).to.equal('fresh');
  });

  describe('without permission', () => {
    before(function () {
      if (process.platform === 'win32') skipBecause(this, 'needs Unix permissions');
    });

    /** Root may read everything; so the test is done as somebody who may not. */
    const unprivileged = async (work: () => Promise<void>) => {
      const { seteuid } = process;
      if (process.geteuid?.() !== 0 || seteuid === undefined) return await work();
      for (const path of [at.path(), at.path('disco')]) await chown(path, NOBODY, NOBODY);
      seteuid(NOBODY);
      try {
        await work();
      } finally {
        seteuid(0);
      }
    };

    it('for one file keeps that file and reports it', async () => {
      await mkdir(at.path('disco'));
      await unprivileged(async () => {
        await write('world', 'a 1');
        await write('other', 'b 2');
        const fake = at.fake();
        await fake.see('world');
        await write('world', 'c 3');
        await chmod(at.path('disco', 'world'), 0);
        expect(await fake.ids('world')).to.deep.equal(['a:1']);
        const state = fake.registry.discovery.state();
        expect(state.freshness).to.equal('fresh');
        expect(state.problems).to.deep.equal([
          'world: cannot be read (EACCES: permission denied); the last good state of the file stays in use',
        ]);
        await chmod(at.path('disco', 'world'), 0o600);
        expect(await fake.ids('world')).to.deep.equal(['c:3']);
        await fake.registry.discovery.close();
      });
    });

    it('for a folder keeps everything in it and is stale, while the rest is kept up to date', async () => {
      await mkdir(at.path('disco'));
      await unprivileged(async () => {
        await mkdir(at.path('disco', 'shop'));
        await write('shop/orders', 'a 1');
        await write('shopping', 'b 2');
        const fake = at.fake();
        await fake.see('world');
        await chmod(at.path('disco', 'shop'), 0);
        await rm(at.path('disco', 'shopping'));
        await fake.pass(5_000);
        expect(await fake.ids('shop/orders')).to.deep.equal(['a:1']);
        expect((await fake.see('shopping')).exists).to.equal(false);
        const state = fake.registry.discovery.state();
        expect(state).to.deep.include({ freshness: 'stale' });
        expect(state.lastError).to.equal('shop/: the folder cannot be read (EACCES: permission denied)');
        await chmod(at.path('disco', 'shop'), 0o700);
        await fake.see('world');
        expect(fake.registry.discovery.state().freshness).to.equal('fresh');
        await fake.registry.discovery.close();
      });
    });

    it('for the registrations still gives the hand-written services, and nobody is said not to exist', async () => {
      await mkdir(at.path('disco'));
      await unprivileged(async () => {
        await mkdir(at.path('disco', '.instances'), { mode: 0 });
        await write('world', 'a 1');
        await chmod(at.path('disco', '.instances'), 0);
        await chmod(at.path('disco'), 0o700);
        const fake = at.fake();
        expect(await fake.ids('world')).to.deep.equal(['a:1']);
        const other = at.watch(fake.registry, 'other').next();
        await fake.registry.discovery.refresh();
        await chmod(at.path('disco', '.instances'), 0o700);
        await fake.registry.discovery.refresh();
        expect(await other).to.deep.include({ exists: false });
        await fake.registry.discovery.close();
      });
    });

    it('to write retries the registration, shows why, and registers when it may', async () => {
      const logger = new RecordingLogger();
      await mkdir(at.path('disco'));
      await unprivileged(async () => {
        await chmod(at.path('disco'), 0o500);
        const fake = at.fake({}, logger);
        let registered = false;
        const lease = fake.registry.registrator
          .register(worldInstance('w-1'), new AbortController().signal)
          .then((granted) => {
            registered = true;
            return granted;
          });
        for (let tries = 0; tries < 5; tries += 1) await fake.pass(10_000);
        expect(registered).to.equal(false);
        expect(fake.registry.discovery.state().lastError).to.match(
          /^world cannot be registered \(EACCES: permission denied\): retried; is .*w-1\.json writable\?$/,
        );
        await chmod(at.path('disco'), 0o700);
        for (let tries = 0; !registered; tries += 1) await fake.pass(10_000);
        await lease;
        expect(await readFile(at.path('disco/.instances/world/w-1.json'), 'utf8')).to.match(/"instanceId": "w-1"/);
        expect(fake.registry.discovery.state().lastError).to.equal(undefined);
        expect(logger.lines.filter((line) => /regist/.test(line)).slice(1)).to.have.length(2);
        await fake.registry.discovery.close();
      });
    });
  });
});

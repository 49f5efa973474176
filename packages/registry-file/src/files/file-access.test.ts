import { readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { skipBecause } from '@mesher/core/testing';
import { Fixture } from '../testing/fixture.js';
import { FileAccess } from './file-access.js';

describe('Access to files', () => {
  const files = new FileAccess();
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
  });
  afterEach(() => at.close());

  it('answers undefined for what is not there, also below a file', async () => {
    await writeFile(at.path('file'), 'text');
    for (const path of [at.path('missing'), at.path('file/below')]) {
      expect(await files.facts(path)).to.equal(undefined);
      expect(await files.list(path)).to.equal(undefined);
      expect(await files.read(path, 100)).to.deep.equal({ outcome: 'missing' });
      expect(await files.touch(path, 0)).to.equal(false);
      await files.remove(path);
    }
  });

  it('reads a file up to its limit and not one byte more', async () => {
    await writeFile(at.path('file'), '12345');
    expect(await files.read(at.path('file'), 5)).to.deep.include({ outcome: 'read', text: '12345' });
    expect(await files.read(at.path('file'), 4)).to.deep.include({
      outcome: 'refused',
      reason: 'is larger than 4 bytes',
    });
    expect(await files.read(at.path(), 100)).to.deep.include({ outcome: 'refused', reason: 'is not a regular file' });
  });

  it('reads the whole of a file that is larger than it looked at first', async function () {
    if (process.platform !== 'linux') skipBecause(this, 'needs /proc, whose files say that their size is 0');
    const content = await files.read('/proc/self/status', 100_000);
    expect(content.outcome === 'read' && content.facts.size === 0 && content.text).to.match(/\nPid:\t\d+\n[^]*\n$/);
    expect(await files.read('/proc/self/status', 100)).to.deep.include({ outcome: 'refused' });
  });

  it('replaces a file so that no reader ever sees a part of it', async () => {
    const path = at.path('a/b/file');
    const texts = ['1', '2'].map((digit) => digit.repeat(50_000));
    await files.replace(path, texts[0] ?? '', 0);
    let done = false;
    const writing = (async () => {
      for (let round = 0; round < 100; round += 1) await files.replace(path, texts[round % 2] ?? '', 0);
      done = true;
    })();
    let reads = 0;
    for (; !done; reads += 1) {
      const content = await files.read(path, 100_000);
      expect(content.outcome === 'read' && texts.includes(content.text)).to.equal(true);
    }
    await writing;
    expect(reads).to.be.above(10);
    expect(await readdir(at.path('a/b'))).to.deep.equal(['file']);
  });

  it('gives a replaced file its time from the first moment, and another identity', async () => {
    await files.replace(at.path('file'), 'one', 1_000_000);
    const before = await files.facts(at.path('file'));
    expect(before?.mtimeMs).to.equal(1_000_000);
    await files.replace(at.path('file'), 'two', 1_000_000);
    expect((await files.facts(at.path('file')))?.identity).not.to.equal(before?.identity);
    await files.touch(at.path('file'), 2_000_000);
    expect((await stat(at.path('file'))).mtimeMs).to.equal(2_000_000);
  });

  it('leaves no temporary file behind when it cannot put the file in place', async () => {
    await files.makeDirectory(at.path('file', 'full'));
    let failed = false;
    await files.replace(at.path('file'), 'text', 0).catch(() => (failed = true));
    expect(failed).to.equal(true);
    expect(await readdir(at.path())).to.deep.equal(['file']);
  });

  it('removes a directory only when it is empty, and tells links from what they lead to', async () => {
    await files.makeDirectory(at.path('folder', 'inner'));
    expect(await files.removeEmptyDirectory(at.path('folder'))).to.equal(false);
    expect(await files.removeEmptyDirectory(at.path('folder', 'inner'))).to.equal(true);
    expect(await files.removeEmptyDirectory(at.path('folder', 'inner'))).to.equal(true);
    await symlink('nowhere', at.path('link'));
    expect(await files.isLink(at.path('link'))).to.equal(true);
    expect(await files.isLink(at.path('folder'))).to.equal(false);
    expect(await files.facts(at.path('link'))).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { mkdir, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '../../testing/temporary-folder.js';
import { fingerprintFiles } from './files-fingerprint.js';
import { FolderWatch } from './folder-watch.js';

/** A watch whose hints can be awaited. */
class Hints {
  readonly watch = new FolderWatch(new Set(['mesher.yaml', 'chassis.yaml']), () => {
    this.count++;
    this.#wake();
  });
  count = 0;
  #wake: () => void = () => {};

  /** Resolves with the first hint after `act` began. Fails by the time limit of the test when there is none. */
  async during(act: () => Promise<unknown>): Promise<void> {
    const hinted = new Promise<void>((resolve) => (this.#wake = resolve));
    await act();
    await hinted;
  }

  async follow(...paths: readonly string[]): Promise<void> {
    const folders = new Map<string, string>();
    for (const path of paths) folders.set(path, String((await stat(path)).ino));
    this.watch.follow(folders);
  }
}

async function withHints(
  files: Readonly<Record<string, string>>,
  use: (hints: Hints, folder: string) => Promise<void>,
) {
  await withFolder(files, async (folder) => {
    const hints = new Hints();
    await hints.follow(folder);
    try {
      await use(hints, folder);
    } finally {
      hints.watch.close();
    }
  });
}

describe('a watch on a configuration folder', () => {
  const ways: readonly (readonly [way: string, change: (folder: string) => Promise<unknown>])[] = [
    ['is written in place', (folder) => writeFile(join(folder, 'mesher.yaml'), 'b')],
    [
      'is replaced by a rename, as editors do',
      async (folder) => {
        await writeFile(join(folder, '.mesher.yaml.swp'), 'b');
        await rename(join(folder, '.mesher.yaml.swp'), join(folder, 'mesher.yaml'));
      },
    ],
    ['appears', (folder) => writeFile(join(folder, 'chassis.yaml'), '')],
    ['is deleted', (folder) => unlink(join(folder, 'mesher.yaml'))],
    ['is swapped with all others by Kubernetes', (folder) => symlink('..2026', join(folder, '..data'))],
  ];
  for (const [way, change] of ways) {
    it(`hints when a file ${way}`, async () => {
      await withHints({ 'mesher.yaml': 'a' }, (hints, folder) => hints.during(() => change(folder)));
    });
  }

  it('does not hint for files that are no configuration', async () => {
    await withHints({ 'mesher.yaml': 'a' }, async (hints, folder) => {
      await hints.during(async () => {
        for (const name of ['notes.txt', 'mesher.yaml~', '.chassis.yaml.swp']) await writeFile(join(folder, name), '');
        // Events of one folder come in their order, so this one proves that those before were seen.
        await unlink(join(folder, 'mesher.yaml'));
      });
      expect(hints.count).to.equal(1);
    });
  });

  it('hints when the folder itself goes, and watches the one that takes its place', async () => {
    await withFolder({ 'conf/mesher.yaml': 'a' }, async (folder) => {
      const conf = join(folder, 'conf');
      const hints = new Hints();
      await hints.follow(conf);
      await hints.during(() => rm(conf, { recursive: true }));
      await mkdir(conf);
      await hints.follow(conf);
      await hints.during(() => writeFile(join(conf, 'mesher.yaml'), 'b'));
      hints.watch.close();
      expect(hints.watch.size).to.equal(0);
    });
  });

  it('does not fail for a folder that is not there', async () => {
    const hints = new Hints();
    hints.watch.follow(new Map([['no-such-folder', '1']]));
    expect(hints.watch.size).to.equal(0);
    hints.watch.close();
  });

  it('watches nothing any more after its end', async () => {
    await withHints({}, async (hints, folder) => {
      hints.watch.close();
      await hints.follow(folder);
      expect(hints.watch.size).to.equal(0);
    });
  });
});

describe('a picture of configuration files', () => {
  it('names the folders behind symbolic links, where edits show', async () => {
    await withFolder({ 'real/mesher.yaml': 'a', 'conf/chassis.yaml': '' }, async (folder) => {
      await symlink('../real/mesher.yaml', join(folder, 'conf/mesher.yaml'));
      const { folders, empty } = await fingerprintFiles({ confDir: join(folder, 'conf') });
      expect([...folders.keys()]).to.have.members([join(folder, 'conf'), join(folder, 'real')]);
      expect(empty).to.deep.equal([join(folder, 'conf/chassis.yaml')]);
    });
  });

  it('is another one after each change of content, of presence and of place, and the same otherwise', async () => {
    await withFolder({ 'conf/chassis.yaml': 'a' }, async (folder) => {
      const confDir = join(folder, 'conf');
      const look = async (meshConfigFile?: string): Promise<string> =>
        (await fingerprintFiles({ confDir, meshConfigFile })).digest;
      const pictures = [await look()];
      expect(await look()).to.equal(pictures[0]);
      await writeFile(join(confDir, 'chassis.yaml'), 'b');
      pictures.push(await look());
      await rename(join(confDir, 'chassis.yaml'), join(confDir, 'router.yaml'));
      pictures.push(await look());
      await writeFile(join(folder, 'other.yaml'), 'c');
      pictures.push(await look(join(folder, 'other.yaml')));
      await rm(confDir, { recursive: true });
      pictures.push(await look());
      expect(new Set(pictures).size).to.equal(pictures.length);
    });
  });
});

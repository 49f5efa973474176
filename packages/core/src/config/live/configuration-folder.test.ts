import { expect } from 'chai';
import { chmod, mkdir, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReloadRig } from '../../testing/reload-rig.js';
import { skipBecause } from '../../testing/skip-because.js';
import { withFolder } from '../../testing/temporary-folder.js';
import { TIMING_ON, withReloadRig as withRig } from '../../testing/with-reload-rig.js';

describe('the configuration folder', () => {
  it('may be swapped as Kubernetes swaps a ConfigMap: all files change in one step', async () => {
    await withFolder({}, async (folder) => {
      const version = async (name: string, timing: boolean): Promise<void> => {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, 'microservice.yaml'), 'servicecomb.service.name: orders\n');
        await writeFile(join(folder, name, 'mesher.yaml'), `mesher.serverTiming: ${timing}\n`);
      };
      await version('..1', false);
      await symlink('..1', join(folder, '..data'));
      for (const file of ['microservice.yaml', 'mesher.yaml']) await symlink(`..data/${file}`, join(folder, file));
      const rig = await ReloadRig.open(folder);
      await version('..2', true);
      await symlink('..2', join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
      await rm(join(folder, '..1'), { recursive: true });
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      rig.reloader.close();
    });
  });

  it('that vanishes takes nothing along; when it is back, it counts again', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await rename(rig.folder, `${rig.folder}-away`);
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/the configuration folder is gone/);
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      await rename(`${rig.folder}-away`, rig.folder);
      await rig.write({ 'mesher.yaml': 'mesher.serverTiming: false\n' });
      expect(await rig.hintAndLook()).to.equal('applied');
    });
  });

  it('may lose a file: what stood in it counts no longer', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await unlink(join(rig.folder, 'mesher.yaml'));
      expect(await rig.hintAndLook()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(false);
    });
  });

  it('with a file that is emptied and then filled, as editors write in place, never counts as empty', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await truncate(join(rig.folder, 'mesher.yaml'));
      expect(await rig.hintAndLook()).to.equal('unsettled');
      expect(rig.live.document.mesher.serverTiming).to.equal(true);
      await writeFile(join(rig.folder, 'mesher.yaml'), 'mesher.serverTiming: true\nmesher.metrics: {}\n');
      expect(await rig.hintAndLook()).to.equal('unchanged');
      expect(rig.changes).to.deep.equal([]);
    });
  });

  it('with a file that stays empty counts so after a second', async () => {
    await withRig(TIMING_ON, async (rig) => {
      await truncate(join(rig.folder, 'mesher.yaml'));
      expect(await rig.hintAndLook()).to.equal('unsettled');
      rig.time.advance(1_000);
      expect(await rig.reloader.whenIdle()).to.equal('applied');
      expect(rig.live.document.mesher.serverTiming).to.equal(false);
    });
  });

  it('with half of a file is refused, and taken over when the rest is there', async () => {
    await withRig({}, async (rig) => {
      await rig.write({ 'mesher.yaml': 'mesher: { serverTiming: tr' });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^mesher\.yaml:1:/);
      await rig.write({ 'mesher.yaml': 'mesher: { serverTiming: true }' });
      expect(await rig.hintAndLook()).to.equal('applied');
    });
  });

  it('with a huge file, or a folder in the place of a file, is refused', async () => {
    await withRig({}, async (rig) => {
      await rig.write({ 'router.yaml': '#'.repeat(1024 * 1024 + 1) });
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^router\.yaml:1:1 {2}is larger than 1048576 bytes/);
      await unlink(join(rig.folder, 'router.yaml'));
      await mkdir(join(rig.folder, 'router.yaml'));
      expect(await rig.hintAndLook()).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^router\.yaml:1:1 {2}is no file/);
    });
  });

  it('with a file that may not be read is refused', async function () {
    await withRig(TIMING_ON, async (rig) => {
      const drop = process.getuid?.() === 0 ? NOBODY : undefined;
      if (drop !== undefined && process.seteuid === undefined) skipBecause(this, 'this system knows no permissions');
      await chmod(rig.folder, 0o755);
      await chmod(join(rig.folder, 'mesher.yaml'), 0);
      const result = await asUser(drop, () => rig.hintAndLook());
      expect(result).to.equal('rejected');
      expect(rig.refused[0]).to.match(/^mesher\.yaml:1:1 {2}cannot be read: .*permission/);
    });
  });
});

/** A user without rights. */
const NOBODY = 65_534;

async function asUser<T>(user: number | undefined, act: () => Promise<T>): Promise<T> {
  if (user === undefined) return await act();
  process.seteuid?.(user);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

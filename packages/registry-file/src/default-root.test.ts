import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { isMeshError } from '@mesher/core';
import { skipBecause } from '@mesher/core/testing';
import { defaultRoot, makeDefaultRoot } from './default-root.js';
import { Fixture } from './testing/fixture.js';

describe('The default directory', () => {
  const userId = process.getuid?.();
  let at: Fixture;
  let root: string;
  before(function () {
    if (userId === undefined) skipBecause(this, 'needs Unix users');
  });
  beforeEach(async () => {
    at = await Fixture.make();
    root = defaultRoot({ xdgRuntimeDir: undefined, temporaryDir: at.root, userId });
  });
  afterEach(() => at.close());

  const refusal = (): unknown => {
    try {
      makeDefaultRoot(root, userId);
      return undefined;
    } catch (error) {
      return error;
    }
  };

  it('is the same for all sidecars of a user on a machine, in XDG_RUNTIME_DIR or else in the temporary folder', async () => {
    const xdgRuntimeDir = at.path('run');
    await mkdir(xdgRuntimeDir);
    const temporaryDir = at.path('tmp');
    expect(defaultRoot({ xdgRuntimeDir, temporaryDir, userId })).to.equal(at.path(`run/mesher-${userId}/disco`));
    expect(defaultRoot({ xdgRuntimeDir: undefined, temporaryDir, userId })).to.equal(
      at.path(`tmp/mesher-${userId}/disco`),
    );
  });

  it('is not in an XDG_RUNTIME_DIR that is missing, relative or no directory', async () => {
    await writeFile(at.path('file'), '');
    for (const xdgRuntimeDir of ['', 'run', at.path('missing'), at.path('file')]) {
      expect(defaultRoot({ xdgRuntimeDir, temporaryDir: at.root, userId }), xdgRuntimeDir).to.equal(root);
    }
  });

  it('is not in an XDG_RUNTIME_DIR of another user, as after su', async function () {
    if (userId !== 0) skipBecause(this, 'needs root to give a directory to another user');
    await mkdir(at.path('run'));
    await chown(at.path('run'), 12_345, 12_345);
    expect(defaultRoot({ xdgRuntimeDir: at.path('run'), temporaryDir: at.root, userId })).to.equal(root);
  });

  it('is made for its owner alone, and found again', async () => {
    makeDefaultRoot(root, userId);
    makeDefaultRoot(root, userId);
    for (const path of [root, at.path(`mesher-${userId}`)]) {
      expect(((await stat(path)).mode & 0o777).toString(8), path).to.equal('700');
    }
  });

  it('is closed for others when it was open', async () => {
    makeDefaultRoot(root, userId);
    await chmod(at.path(`mesher-${userId}`), 0o777);
    makeDefaultRoot(root, userId);
    expect(((await stat(at.path(`mesher-${userId}`))).mode & 0o777).toString(8)).to.equal('700');
  });

  it('is refused when it belongs to another user, and the message says what to do', async function () {
    if (userId !== 0) skipBecause(this, 'needs root to give a directory to another user');
    await mkdir(at.path(`mesher-${userId}`));
    await chown(at.path(`mesher-${userId}`), 12_345, 12_345);
    const error = refusal();
    expect(isMeshError(error, 'FILE_REGISTRY_ROOT_OWNER')).to.equal(true);
    expect(error)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/is a directory of user 12345, not of user 0: .* Remove it, or set servicecomb\.registry\.address/);
  });

  it('is refused when it is a symbolic link, even to a directory of the same user', async () => {
    await mkdir(at.path('elsewhere'));
    await symlink(at.path('elsewhere'), at.path(`mesher-${userId}`));
    expect(isMeshError(refusal(), 'FILE_REGISTRY_ROOT_OWNER')).to.equal(true);
  });

  it('that cannot be made is an error that names the setting', async () => {
    root = defaultRoot({ xdgRuntimeDir: undefined, temporaryDir: at.path('missing'), userId });
    const error = refusal();
    expect(isMeshError(error, 'FILE_REGISTRY_ROOT')).to.equal(true);
    expect(error).to.be.an('error').with.property('message').that.includes('servicecomb.registry.address');
  });
});

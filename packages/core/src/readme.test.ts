import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { codeBlocks } from './testing/markdown-blocks.js';
import { skipBecause } from './testing/skip-because.js';
import { withFolder } from './testing/temporary-folder.js';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
const NEEDED = ['core', 'registry-file', 'resolver-host'];

describe('the README of @mesher/core', () => {
  const blocks = codeBlocks(readFileSync(join(PACKAGES, 'core/README.md'), 'utf8'));

  it('shows a plugin of ten lines', () => {
    const plugin = blocks.find(({ file }) => file === 'conf/by-path.mjs');
    expect(plugin?.text.trimEnd().split('\n')).to.have.lengthOf(10);
  });

  it('shows a program that prints what it says, and ends by itself', async function () {
    const missing = NEEDED.find((name) => !existsSync(join(PACKAGES, name, 'dist/index.js')));
    if (missing !== undefined) skipBecause(this, `packages/${missing} is not compiled`);
    const files = Object.fromEntries(blocks.flatMap(({ file, text }) => (file === undefined ? [] : [[file, text]])));
    const expected = blocks.find(({ language }) => language === 'text')?.text;
    expect(Object.keys(files)).to.include.members(['app.mjs', 'conf/by-path.mjs', 'conf/disco/world']);
    await withFolder(files, async (folder) => {
      await mkdir(join(folder, 'node_modules/@mesher'), { recursive: true });
      for (const name of NEEDED) await symlink(join(PACKAGES, name), join(folder, 'node_modules/@mesher', name), 'dir');
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['app.mjs'], { cwd: folder, env: {} });
      expect([stdout, stderr]).to.deep.equal([expected, '']);
    });
  });
});

import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type CommandResult } from './support/command.js';
import { writeConfFolder } from './support/conf-folder.js';
import { useScene } from './support/scene.js';
import { MESHER_BIN } from './support/sidecar.js';

const SAMPLES = fileURLToPath(new URL('../../packages/core/fixtures/samples', import.meta.url));

describe('mesher config check', () => {
  const scene = useScene();

  async function check(dir: string): Promise<CommandResult> {
    return await run(process.execPath, [MESHER_BIN, 'config', 'check', dir], {});
  }

  it('ends with 0 for a good folder and says so', async () => {
    const { dir } = await writeConfFolder(scene(), {});
    const { code, stdout } = await check(dir);
    expect([code, stdout]).to.deep.equal([0, `${dir}: good (3 files, 0 notices)\n`]);
  });

  it('ends with 3 for a bad folder and names every mistake with file and line', async () => {
    const { dir } = await writeConfFolder(scene(), {
      'mesher.yaml': 'mesher:\n  serverTiming: maybe\nadmin:\n  enable: perhaps\n',
    });
    const { code, stdout } = await check(dir);
    expect(code).to.equal(3);
    expect(stdout).to.include('mesher.yaml:2').and.to.include('mesher.yaml:4').and.to.include(`${dir}: 2 errors`);
  });

  it('finds what shows only when the parts are put together', async () => {
    const { dir } = await writeConfFolder(scene(), { 'mesher.yaml': 'plugin.destinationResolver.http: hots\n' });
    const { code, stdout } = await check(dir);
    expect([code, stdout.includes("'hots'; known are")], stdout).to.deep.equal([3, true]);
  });

  for (const folder of sampleFolders()) {
    it(`takes the files of users as they are: ${folder}`, async () => {
      const { code, stdout } = await check(join(SAMPLES, folder));
      expect(code, stdout).to.equal(0);
      expect(stdout).to.match(/: good \(\d+ files?, \d+ notices?\)\n$/);
    });
  }
});

/** The folders that hold a microservice.yaml. */
function sampleFolders(): string[] {
  return readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' })
    .filter((path) => basename(path) === 'microservice.yaml')
    .map(dirname)
    .sort();
}

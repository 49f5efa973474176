import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { useScene } from './support/scene.js';
import { MESHER_BIN } from './support/sidecar.js';
import type { SpawnedProcess } from './support/spawned-process.js';

describe('the demo without a terminal', () => {
  const scene = useScene();

  /** Its output goes into a pipe, and its files into a folder of the test. */
  async function demo(command: string, ...args: string[]): Promise<SpawnedProcess> {
    await mkdir(files());
    return scene().spawn('the demo', command, args, { TMPDIR: files() });
  }

  const files = (): string => join(scene().folder, 'tmp');

  it('stays up until it is told to end, and then leaves nothing behind', async () => {
    const running = await demo(process.execPath, MESHER_BIN, 'demo');
    await running.untilPrinted(/calls, all answered[^]*Ctrl-C ends the demo/);
    expect(running.isRunning).to.equal(true);
    running.signal('SIGINT');
    expect(await running.exited).to.deep.equal({ code: 0, signal: null });
    expect(running.stdout).to.include('Stopping.');
    expect(await readdir(files())).to.deep.equal([]);
  });

  it('ends after its calls with --once', async () => {
    const running = await demo(process.execPath, MESHER_BIN, 'demo', '--once');
    expect(await running.exited).to.deep.equal({ code: 0, signal: null });
    expect(running.stdout).to.include('calls, all answered').and.to.not.include('Ctrl-C');
  });

  it('takes its processes down when nobody reads what it prints any more', async () => {
    const running = await demo('bash', '-c', `"${process.execPath}" "${MESHER_BIN}" demo | head -1`);
    await running.exited;
    expect(running.stdout).to.match(/^Mesher demo: .*\n$/);
    expect(await readdir(files())).to.deep.equal([]);
  });
});

import { expect } from 'chai';
import { requireProgram, run } from '../support/command.js';
import { useScene } from '../support/scene.js';
import type { Sidecar } from '../support/sidecar.js';

/** Calls under way while a profile is taken, so that there is something to see. */
const CALLERS = 4;

describe('go tool pprof', () => {
  const scene = useScene();
  before(function () {
    requireProgram(this, 'go', 'version');
  });

  async function busy<T>(front: Sidecar, work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!isDone) await front.call('http://shop/');
    });
    try {
      return await work();
    } finally {
      isDone = true;
      await Promise.all(callers);
    }
  }

  const pprof = async (...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    // It keeps what it fetched in a folder of its own.
    await run('go', ['tool', 'pprof', ...args], { PPROF_TMPDIR: scene().folder });

  async function start(): Promise<{ front: Sidecar; url: string }> {
    const port = await scene().ports.take();
    await scene().service('shop');
    const front = await scene().sidecar({ service: 'front', host: 'none', env: { NETRA_PPROF_PORT: `${port}` } });
    await front.call('http://shop/');
    return { front, url: `http://127.0.0.1:${port}/debug/pprof` };
  }

  it('lists the functions of Mesher by the CPU time that they took', async () => {
    const { front, url } = await start();
    const { code, stdout, stderr } = await busy(front, () => pprof('-top', '-lines', `${url}/profile?seconds=2`));
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/Type: cpu/);
    // A function, the file that it is in, and the line.
    expect(stdout).to.match(/ [\w#]+ [\w-]+\.js \/\S+\/packages\/proxy\/dist\/\S+\.js:\d+/);
    expect(stdout).to.not.contain('(idle)');
  });

  it('lists what was allocated, and what is still in use', async () => {
    const { front, url } = await start();
    const allocated = await busy(front, () => pprof('-top', `${url}/allocs?seconds=1`));
    expect(allocated.code, allocated.stderr).to.equal(0);
    expect(allocated.stdout)
      .to.match(/Type: alloc_space/)
      .and.to.match(/[\d.]+[kM]B/);
    const inUse = await busy(front, () => pprof('-sample_index=inuse_samples', '-top', `${url}/heap?seconds=1`));
    expect(inUse.code, inUse.stderr).to.equal(0);
    expect(inUse.stdout).to.match(/Type: inuse_samples/);
  });

  it('shows why there is no profile', async () => {
    const { url } = await start();
    const { code, stderr } = await pprof('-top', `${url}/profile?seconds=3600`);
    expect(code).to.not.equal(0);
    expect(stderr).to.contain('seconds=3600 is no duration up to 60 seconds (pprof.maxDuration)');
  });
});

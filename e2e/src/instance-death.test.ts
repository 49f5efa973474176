import { expect } from 'chai';
import type { App } from './support/app.js';
import { eventually } from './support/eventually.js';
import { runLoad, type LoadReport } from './support/load.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

/** Enough that hundreds of calls are on the way before, at and after the death. */
const CALLS = 3_000;
const PARALLEL = 16;

/** Short, so that the registry gives up a killed sidecar while the test still looks. */
const LEASE = { 'servicecomb.registry.file.lease': '1s' };

interface Instance {
  readonly app: App;
  readonly sidecar: Sidecar;
}

describe('two instances of a service under load', () => {
  const scene = useScene();

  async function startInstance(name: string): Promise<Instance> {
    const app = await scene().app({ name });
    return { app, sidecar: await scene().sidecar({ service: 'world', app, chassis: LEASE }) };
  }

  async function startPair(): Promise<{ caller: Sidecar; doomed: Instance; survivor: Instance }> {
    const [doomed, survivor] = [await startInstance('doomed'), await startInstance('survivor')];
    return { caller: await scene().sidecar({ service: 'hello', host: 'none', chassis: LEASE }), doomed, survivor };
  }

  async function loadWhile(caller: Sidecar, act: () => unknown): Promise<LoadReport> {
    const midway = { after: CALLS / 3, act };
    return await runLoad({ url: 'http://world/', proxy: caller.outbound, total: CALLS, parallel: PARALLEL, midway });
  }

  /** Not one GET failed, both instances had taken part, and at the end one was left. */
  function expectUnnoticed({ names, failures }: LoadReport): void {
    expect(failures).to.deep.equal([]);
    expect(names).to.have.lengthOf(CALLS);
    expect(new Set(names.slice(0, CALLS / 4))).to.have.keys('doomed', 'survivor');
    expect(new Set(names.slice(-CALLS / 4))).to.have.keys('survivor');
  }

  async function expectBack(caller: Sidecar): Promise<void> {
    await eventually('the instance that was started again gets calls', async () => {
      const { status, body } = await caller.call('http://world/');
      expect(status, body).to.equal(200);
      return (JSON.parse(body) as { name: string }).name === 'doomed';
    });
  }

  async function expectGone(caller: Sidecar, address: string | undefined): Promise<void> {
    await eventually('the dead instance is no longer known', async () => {
      const instances = await caller.instances('world');
      return instances.length === 1 && !instances.includes(address ?? '');
    });
  }

  it('share the calls evenly while both live', async () => {
    const { caller } = await startPair();
    const { names, failures } = await loadWhile(caller, () => undefined);
    expect(failures).to.deep.equal([]);
    expect(names.filter((name) => name === 'doomed').length).to.be.within(CALLS * 0.45, CALLS * 0.55);
  });

  it('lose no GET when the application of one is killed; it rests, and is taken back when it runs again', async () => {
    const { caller, doomed } = await startPair();
    expectUnnoticed(await loadWhile(caller, () => doomed.app.process.kill()));
    const labels = { direction: 'outbound', service: 'world' };
    expect(await caller.metric('mesher_retries_total', labels)).to.be.greaterThan(0);
    await eventually('the sidecar says that the endpoint rests', async () => {
      await caller.call('http://world/');
      return (await caller.instances('world')).some((line) => line.startsWith(`${doomed.sidecar.inbound}: rests`));
    });
    await doomed.app.start();
    await expectBack(caller);
  });

  it('lose no GET when the sidecar of one is killed; it leaves the pool, and is taken back when it runs again', async () => {
    const { caller, doomed } = await startPair();
    expectUnnoticed(await loadWhile(caller, () => doomed.sidecar.process.kill()));
    await expectGone(caller, doomed.sidecar.inbound);
    await doomed.sidecar.start();
    await expectBack(caller);
  });

  it('lose no GET when application and sidecar of one are killed together; it leaves the pool, and is taken back', async () => {
    const { caller, doomed } = await startPair();
    const killBoth = (): unknown => Promise.all([doomed.app.process.kill(), doomed.sidecar.process.kill()]);
    expectUnnoticed(await loadWhile(caller, killBoth));
    await expectGone(caller, doomed.sidecar.inbound);
    await doomed.app.start();
    await doomed.sidecar.start();
    await expectBack(caller);
  });

  it('lose no GET when one of two applications without sidecars, in a hand-written file, is killed', async () => {
    const [doomed, survivor] = [await scene().app({ name: 'doomed' }), await scene().app({ name: 'survivor' })];
    await scene().write('disco/world', `127.0.0.1 ${doomed.port}\n127.0.0.1 ${survivor.port}\n`);
    const caller = await scene().sidecar({ service: 'hello', host: 'none' });
    expectUnnoticed(await loadWhile(caller, () => doomed.process.kill()));
    await doomed.start();
    await expectBack(caller);
  });

  it('lose no GET when one is stopped with SIGTERM, which leaves the registry at once', async () => {
    const { caller, doomed } = await startPair();
    expectUnnoticed(await loadWhile(caller, () => doomed.sidecar.process.stop()));
    expect(await caller.instances('world')).to.have.lengthOf(1);
  });
});

import { expect } from 'chai';
import { rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from './support/app.js';
import { eventually } from './support/eventually.js';
import { SteadyCalls } from './support/load.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

/** So long that an emptied file is in doubt until the test has written it again. */
const PATIENT = { 'servicecomb.registry.file.confirmEmpty': '10m' };
/** So short that an emptied file is believed at once. */
const HASTY = { 'servicecomb.registry.file.confirmEmpty': '0ms' };

describe('a hand-written registry file that is edited while calls run', () => {
  const scene = useScene();
  let first: App, second: App, calls: SteadyCalls | undefined;
  let file: string;
  let markers = 0;

  beforeEach(async () => {
    [first, second] = [await scene().app({ name: 'first' }), await scene().app({ name: 'second' })];
    file = await scene().write('disco/world', lines(first));
  });
  afterEach(async () => {
    await calls?.stop();
    calls = undefined;
  });

  function lines(...apps: readonly App[]): string {
    return apps.map(({ port }) => `127.0.0.1 ${port}\n`).join('');
  }

  async function startCaller(chassis: Record<string, unknown> = PATIENT): Promise<Sidecar> {
    const caller = await scene().sidecar({ service: 'hello', host: 'none', chassis });
    calls = new SteadyCalls('http://world/', caller.outbound);
    await untilAnsweredBy(first);
    return caller;
  }

  /** Resolves when each of the latest twenty calls went to one of `apps`, and each of these got one. */
  async function untilAnsweredBy(...apps: readonly App[]): Promise<void> {
    const wanted = apps.map(({ name }) => name).sort();
    const from = calls?.names.length ?? 0;
    await eventually(`calls are answered by ${wanted.join(' and ')} alone`, () => {
      const latest = (calls?.names.slice(from) ?? []).slice(-20);
      return latest.length === 20 && JSON.stringify([...new Set(latest)].sort()) === JSON.stringify(wanted);
    });
  }

  /** Resolves when the directory has been looked at since: a service that is written now is known. */
  async function untilLookedAt(caller: Sidecar): Promise<void> {
    const marker = `marker-${++markers}`;
    await scene().write(`disco/${marker}`, '127.0.0.1 9\n');
    await eventually(`${marker} is known`, async () =>
      (await caller.services()).services.some(({ service }) => service === marker),
    );
  }

  async function expectNothingLost(): Promise<void> {
    await calls?.stop();
    expect(calls?.failures).to.deep.equal([]);
  }

  async function untilReported(caller: Sidecar, problem: string): Promise<void> {
    await eventually(`/services reports ${problem}`, async () =>
      (await caller.services()).registries[0]?.problems.some((text) => text.includes(problem)),
    );
  }

  it('takes up a line that is added and drops one that is removed, without losing a call', async () => {
    await startCaller();
    await writeFile(file, lines(first, second));
    await untilAnsweredBy(first, second);
    await writeFile(file, `# only the second\n${lines(second)}`);
    await untilAnsweredBy(second);
    await expectNothingLost();
  });

  it('follows weights', async () => {
    await startCaller();
    await writeFile(file, `127.0.0.1 ${first.port} * 0\n127.0.0.1 ${second.port} * 2\n`);
    await untilAnsweredBy(second);
    await expectNothingLost();
  });

  it('keeps the last good state while a line is bad, reports file and line, and goes on when it is mended', async () => {
    const caller = await startCaller();
    await writeFile(file, `${lines(second)}127.0.0.1 eighty\n`);
    await untilReported(caller, 'world:2: port "eighty"');
    expect(await caller.instances('world')).to.deep.equal([`127.0.0.1:${first.port}`]);
    await untilAnsweredBy(first);
    await writeFile(file, lines(second));
    await untilAnsweredBy(second);
    expect((await caller.services()).registries[0]?.problems).to.deep.equal([]);
    await expectNothingLost();
  });

  it('is not emptied by an editor that truncates the file before it writes it again', async () => {
    const caller = await startCaller();
    for (let round = 0; round < 5; round++) {
      await truncate(file);
      await untilLookedAt(caller);
      await untilAnsweredBy(round % 2 === 0 ? first : second);
      await writeFile(file, lines(round % 2 === 0 ? second : first));
      await untilAnsweredBy(round % 2 === 0 ? second : first);
    }
    await expectNothingLost();
  });

  it('follows a file that is renamed over the old one, as editors and ConfigMaps do it', async () => {
    await startCaller();
    const draft = await scene().write('draft', lines(second));
    await rename(draft, file);
    await untilAnsweredBy(second);
    await expectNothingLost();
  });

  it('follows a file that is deleted and written anew', async () => {
    const caller = await startCaller();
    await rm(file);
    await untilLookedAt(caller);
    await untilAnsweredBy(first);
    await writeFile(file, lines(second));
    await untilAnsweredBy(second);
    await expectNothingLost();
  });

  it('is believed to be empty when it stays so: 503, the service is known but has no instance', async () => {
    const caller = await startCaller(HASTY);
    await calls?.stop();
    await truncate(file);
    const answer = await eventually('the call is refused', async () => {
      const result = await caller.call('http://world/');
      return result.status !== 200 && result;
    });
    expect([answer.status, answer.headers['x-mesher-error']]).to.deep.equal([503, 'MESH_ERR_NO_INSTANCE']);
  });

  it('is renamed, and so the service has another name', async () => {
    const caller = await startCaller(HASTY);
    await calls?.stop();
    await rename(file, join(scene().registry, 'earth'));
    await eventually('the new name is known', async () => (await caller.call('http://earth/')).status === 200);
    await eventually('the old name is not', async () => {
      const { status, headers } = await caller.call('http://world/');
      return status === 404 && headers['x-mesher-error'] === 'MESH_ERR_NO_ROUTE';
    });
  });
});

import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { diffConfigurations } from './config-diff.js';

interface Said {
  readonly code: number;
  readonly text: string;
  /** What went to stderr. */
  readonly err: string;
}

const NOBODY = '127.0.0.1:1';

async function run(dir: string, base?: string, admin = NOBODY): Promise<Said> {
  let text = '';
  let err = '';
  const code = await diffConfigurations(
    { dir, base, admin, env: {} },
    (piece) => (text += piece),
    (piece) => (err += piece),
  );
  return { code, text, err };
}

/** Status and text for two folders, written as A and B. */
async function diff(a: Files, b: Files): Promise<Said> {
  return await withConfFolder(a, (base) =>
    withConfFolder(b, async (dir) => {
      const { code, text, err } = await run(dir, base);
      const named = (said: string): string => said.replaceAll(base, 'A').replaceAll(dir, 'B');
      return { code, text: named(text), err: named(err) };
    }),
  );
}

/** Status and text for a sidecar that answers `/config` with `answer`, and a folder. */
async function diffRunning(answer: unknown, files: Files): Promise<Said> {
  const server = createServer((_request, response) => response.end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const admin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await withConfFolder(files, async (dir) => {
      const { code, text, err } = await run(dir, undefined, admin);
      return { code, text: text.replaceAll(dir, 'B'), err };
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The keys that a sidecar shows that runs with these files. */
async function keysOf(files: Files): Promise<Record<string, { value: string; from: string }>> {
  const keys: Record<string, { value: string; from: string }> = {};
  await withConfFolder(files, async (confDir) => {
    const { load } = await import('../sidecar/load.js');
    const { configuration } = await load({ confDir, env: {} });
    for (const [key, { value, at }] of configuration.asRunning?.shown() ?? []) keys[key] = { value, from: at };
  });
  return keys;
}

describe('config diff', () => {
  it('ends with 0 for two folders that mean the same, however they are written', async () => {
    const a = { 'mesher.yaml': 'mesher.serverTiming: true\n' };
    const b = { 'chassis.yaml': '# moved\nmesher:\n  serverTiming: true\n' };
    expect(await diff(a, b)).to.deep.equal({ code: 0, text: 'no difference\n', err: '' });
  });

  it('prints key by key what would change, with file and line, and what of it needs a restart', async () => {
    const a = { 'mesher.yaml': 'mesher: { serverTiming: true, metrics: { maxServices: 7 } }\n' };
    const b = { 'mesher.yaml': 'mesher:\n  metrics:\n    maxServices: 8\n' };
    expect(await diff(a, b)).to.deep.equal({
      code: 1,
      text: `mesher.metrics.maxServices
  - 7   (A/mesher.yaml:1:55)
  + 8   (B/mesher.yaml:3:18)
  needs a restart: the counters are laid out at the start
mesher.serverTiming
  - true   (A/mesher.yaml:1:25)
  + false   (default)
2 keys differ; a restart is needed for 1
`,
      err: '',
    });
  });

  it('compares secrets and shows none', async () => {
    const of = (token: string): Files => ({ 'mesher.yaml': `plugin.settings.kie.token: ${token}\n` });
    expect(await diff(of('hunter2'), of('hunter2'))).to.include({ code: 0 });
    const { code, text } = await diff(of('hunter2'), of('hunter3'));
    expect([code, text.includes('plugin.settings.kie.token'), text.includes('hunter')]).to.deep.equal([1, true, false]);
  });

  it('ends with 3 for a folder with mistakes, and names them', async () => {
    const { code, text, err } = await diff({}, { 'mesher.yaml': 'mesher.serverTiming: maybe\n' });
    expect([code, text]).to.deep.equal([3, '']);
    expect(err).to.match(/^B\/mesher\.yaml:1:22 .*\nB: 1 error\n$/);
  });

  it('compares a folder with the running sidecar', async () => {
    const keys = await keysOf({});
    const same = await diffRunning({ hash: 'x', folder: '/etc', source: { name: 'kie' }, keys }, {});
    expect(same).to.deep.equal({ code: 0, text: 'no difference\n', err: '' });
    const { code, text } = await diffRunning(
      { hash: 'x', folder: '/etc', source: null, keys },
      { 'mesher.yaml': 'mesher.serverTiming: true\n' },
    );
    expect(code).to.equal(1);
    expect(text).to.equal(
      'mesher.serverTiming\n  - false   (default)\n  + true   (B/mesher.yaml:1:22)\n1 key differs; none needs a restart\n',
    );
  });

  it('leaves alone what the config source of the running sidecar says, since it wins', async () => {
    const keys = await keysOf({});
    keys['mesher.serverTiming'] = { value: 'true', from: 'kie: mesher.serverTiming' };
    expect(await diffRunning({ hash: 'x', folder: '/etc', source: { name: 'kie' }, keys }, {})).to.deep.equal({
      code: 0,
      text: 'note: what kie says stays: mesher.serverTiming\nno difference\n',
      err: '',
    });
  });

  it('says so when only a secret differs from the running one', async () => {
    const { code, text } = await diffRunning({ hash: 'x', folder: '/etc', source: null, keys: await keysOf({}) }, {});
    expect([code, text]).to.deep.equal([1, 'note: the contents differ in a value that is not shown (a secret)\n']);
  });

  it('says what to do when no sidecar answers, or somebody else', async () => {
    await withConfFolder({}, async (dir) => {
      const { code, text, err } = await run(dir);
      expect([code, text]).to.deep.equal([2, '']);
      expect(err).to.match(/^mesher: no sidecar answers at 127\.0\.0\.1:1 \(ECONNREFUSED\).*--admin HOST:PORT/);
    });
    for (const other of [{ hello: 'world' }, 'hello', null]) {
      const { code, text, err } = await diffRunning(other, {});
      expect([code, text, err.includes('no admin port of a sidecar')]).to.deep.equal([2, '', true]);
    }
  });

  it('says that a folder is not there', async () => {
    await withConfFolder({}, async (dir) => {
      for (const [next, base] of [[`${dir}/none`], [dir, `${dir}/none`]] as const) {
        expect(await run(next, base)).to.deep.equal({
          code: 3,
          text: '',
          err: `${dir}/none: there is no folder ${dir}/none\n`,
        });
      }
    });
  });

  it('names keys that nobody knows, since they make no difference', async () => {
    const { code, text } = await diff({}, { 'mesher.yaml': 'mesher.serverTimings: true\n' });
    expect(code).to.equal(0);
    expect(text).to.match(/^B\/mesher\.yaml:1:1 .*did you mean 'mesher\.serverTiming'.*\nno difference\n$/);
  });
});

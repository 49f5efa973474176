import { expect } from 'chai';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRegistry, type RegistryOptions } from './registry.js';

interface Running {
  readonly url: string;
  readonly out: string;
  readonly err: string;
}

/** Runs the command until `use` has ended. @returns its exit status and what it said */
async function withRegistry(
  options: RegistryOptions,
  use: (running: Running) => Promise<unknown> = () => Promise.resolve(),
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  let told = (): void => {};
  const untilTold = new Promise<void>((resolve) => (told = resolve));
  let stop = (): void => {};
  const ended = new Promise<void>((resolve) => (stop = resolve));
  const streams = {
    out: (text: string) => {
      out += text;
      // Both lines and the warning are there once this turn is over.
      setImmediate(told);
    },
    err: (text: string) => void (err += text),
  };
  const exited = runRegistry(options, env, streams, ended);
  void exited.finally(told);
  await untilTold;
  try {
    const url = /http:\S+?(?=,)/.exec(out)?.[0];
    if (url !== undefined) await use({ url, out, err });
  } finally {
    stop();
  }
  return { code: await exited, out, err };
}

async function register(url: string, serviceName: string): Promise<number> {
  const body = JSON.stringify({ service: { serviceName } });
  const answer = await fetch(`${url}/v4/default/registry/microservices`, { method: 'POST', body });
  await answer.arrayBuffer();
  return answer.status;
}

async function names(url: string): Promise<unknown> {
  const answer = await fetch(`${url}/v4/default/registry/microservices`);
  const { services = [] } = (await answer.json()) as { services?: { serviceName: string }[] };
  return services.map(({ serviceName }) => serviceName);
}

describe('mesher registry', () => {
  let data: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'mesher-registry-'));
  });

  afterEach(async () => {
    await rm(data, { recursive: true, force: true });
  });

  it('prints its address and what to configure, and has after a restart what was registered', async () => {
    const options = { listen: '127.0.0.1:0', data };
    const { code, out, err } = await withRegistry(options, async ({ url }) => {
      expect(await register(url, 'orders')).to.equal(200);
    });
    expect([code, err]).to.deep.equal([0, '']);
    expect(out).to.match(
      /^mesher registry: http:\/\/127\.0\.0\.1:\d+, kept in \S+\n.*type: servicecenter, address: "http/,
    );
    await withRegistry(options, async ({ url }) => expect(await names(url)).to.deep.equal(['orders']));
  });

  it('keeps nothing in memory only', async () => {
    const options = { listen: '127.0.0.1:0', data, inMemory: true };
    const { out } = await withRegistry(options, async ({ url }) => void (await register(url, 'orders')));
    expect(out).to.include(', in memory\n');
    expect(await readdir(data)).to.deep.equal([]);
  });

  it('asks for a login when there is a password, and warns without one when others can reach it', async () => {
    const locked = await withRegistry(
      { listen: '0.0.0.0:0', data },
      async ({ url }) => expect(await register(url.replace('0.0.0.0', '127.0.0.1'), 'orders')).to.equal(401),
      { MESHER_REGISTRY_PASSWORD: 'Complicated-1' },
    );
    expect(locked.err).to.equal('');
    const open = await withRegistry({ listen: '0.0.0.0:0', data });
    expect(open.err).to.match(/whoever reaches 0\.0\.0\.0:\d+ may register and remove; MESHER_REGISTRY_PASSWORD/);
  });

  it('ends with 2 for what is no address, and with 1 for one that is in use', async () => {
    const wrong = await withRegistry({ listen: 'localhost', data });
    expect(wrong.code).to.equal(2);
    expect(wrong.err).to.match(/--listen expects host:port/);
    await withRegistry({ listen: '127.0.0.1:0', data }, async ({ url }) => {
      const { host } = new URL(url);
      const second = await withRegistry({ listen: host, data: join(data, 'second') });
      expect(second.code).to.equal(1);
      expect(second.err).to.include(`${host} is in use`);
    });
  });

  it('ends with 1 when the file of its folder is none of its own, and says what to do', async () => {
    await writeFile(join(data, 'registry.json'), '{');
    const { code, err } = await withRegistry({ listen: '127.0.0.1:0', data });
    expect(code).to.equal(1);
    expect(err).to.include('registry.json').and.to.include('move it away');
  });
});

import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { curl, requireCurl, requireProgram, run } from './support/command.js';
import { fieldsOf, type Echo } from './support/app.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

function program(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.js`, import.meta.url));
}

const PYTHON_CLIENT = `
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], data=b"from python")
with urllib.request.urlopen(request, timeout=20) as response:
    sys.stdout.write(response.read().decode())
`;

describe('a service is called by name with', () => {
  const hello = useSharedScene<Sidecar>(async (scene) => {
    await scene.service('world');
    return await scene.sidecar({ service: 'hello', host: 'none' });
  });

  /** The proxy settings that clients read from the environment; some know the one name, some the other. */
  function proxyEnvironment(): Record<string, string> {
    const proxy = `http://${hello().outbound}`;
    return { http_proxy: proxy, HTTP_PROXY: proxy, no_proxy: '' };
  }

  function expectEcho(text: string, expected: Partial<Echo>): Echo {
    const echo = JSON.parse(text) as Echo;
    expect(echo).to.include({ name: 'world', ...expected });
    expect(fieldsOf(echo, 'host')).to.deep.equal(['world']);
    expect(fieldsOf(echo, 'x-cse-src-microservice')).to.deep.equal(['hello']);
    return echo;
  }

  async function runClient(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(command, args, proxyEnvironment());
    expect(code, stderr).to.equal(0);
    return stdout;
  }

  it('curl -x', async function () {
    requireCurl(this);
    expectEcho(await curl('-x', hello().outbound, '-d', 'from curl', 'http://world/api?x=1'), {
      method: 'POST',
      url: '/api?x=1',
      body: 'from curl',
    });
  });

  it('curl and http_proxy', async function () {
    requireCurl(this);
    expectEcho(await runClient('curl', '-sS', 'http://world/api'), { method: 'GET', url: '/api' });
  });

  it('curl and the service name in Host, without a proxy setting', async function () {
    requireCurl(this);
    expectEcho(await curl('-H', 'Host: world', `http://${hello().outbound}/api`), { method: 'GET', url: '/api' });
  });

  it('curl, many requests over one connection', async function () {
    requireCurl(this);
    const counters = async (): Promise<number> =>
      hello().metric('mesher_downstream_connections_accepted_total', { direction: 'both' });
    const before = await counters();
    const urls = Array.from({ length: 20 }, (_, i) => `http://world/${i}`);
    const answers = (await curl('-x', hello().outbound, ...urls)).trim().split('\n');
    expect(answers.map((text) => (JSON.parse(text) as Echo).url)).to.deep.equal(urls.map((_, i) => `/${i}`));
    expect((await counters()) - before).to.equal(1);
  });

  it('curl --proxytunnel, through CONNECT', async function () {
    requireCurl(this);
    const text = await curl('--proxytunnel', '-x', hello().outbound, 'http://world/api');
    const echo = JSON.parse(text) as Echo;
    expect(echo).to.include({ name: 'world', url: '/api' });
  });

  it("Python's urllib and http_proxy", async function () {
    requireProgram(this, 'python3');
    expectEcho(await runClient('python3', '-c', PYTHON_CLIENT, 'http://world/api'), {
      method: 'POST',
      body: 'from python',
    });
  });

  it("Node's axios and http_proxy", async () => {
    expectEcho(await runClient(process.execPath, program('axios-client-main'), 'http://world/api'), {
      method: 'POST',
      body: 'from axios',
    });
  });

  it("undici's fetch and its ProxyAgent, which tunnels with CONNECT", async () => {
    const text = await runClient(process.execPath, program('fetch-client-main'), 'http://world/api');
    expect(JSON.parse(text)).to.include({ name: 'world', method: 'POST', body: 'from fetch' });
  });

  it('wget and http_proxy', async function () {
    requireProgram(this, 'wget');
    expectEcho(await runClient('wget', '-qO-', 'http://world/api'), { method: 'GET', url: '/api' });
  });

  it('a client of the oldest kind: HTTP/1.0 and no Host field', async () => {
    // printf 'GET http://world/api HTTP/1.0\r\n\r\n' | nc, without needing nc
    const text = await runClient(
      process.execPath,
      program('bytes-client-main'),
      hello().outbound,
      ['GET http://world/api HTTP/1.0', '', ''].join('\r\n'),
    );
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).to.match(/^HTTP\/1\.[01] 200 /);
    expect(JSON.parse(body)).to.include({ name: 'world', url: '/api' });
  });
});

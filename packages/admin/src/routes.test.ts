import { expect } from 'chai';
import { MeshError, MetricsPage, SmallFamily } from '@mesher/core';
import type { LogFields } from '@mesher/core';
import { fakePorts, parsePrometheusText } from '@mesher/core/testing';
import { AdminServer } from './admin-server.js';
import { ADMIN_ROUTES } from './routes.js';
import type { AdminSources } from './sources.js';
import { fakeSources } from './testing/fake-sources.js';

describe('the routes of the admin API', () => {
  const ports = fakePorts();
  const logged: LogFields[] = [];
  let server: AdminServer;
  let url: string;
  let overrides: Partial<AdminSources> = {};

  before(async () => {
    // Each call looks at the overrides of the running test.
    const sources = new Proxy(fakeSources(), {
      get: (target, key: keyof AdminSources) => overrides[key] ?? target[key],
    });
    const ignore = (): void => {};
    const logger = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (fields: LogFields) => void logged.push(fields),
    };
    server = new AdminServer(sources, ports.timers, { port: 0 }, logger);
    ({ url } = await server.listen());
  });
  beforeEach(() => {
    overrides = {};
    logged.length = 0;
  });
  after(() => server.close());

  const json = { headers: { accept: 'application/json' } };

  it('/live and /ready answer 200 with a word, or JSON for those who ask for it', async () => {
    for (const word of ['live', 'ready']) {
      const text = await fetch(`${url}/${word}`);
      expect([text.status, await text.text()]).to.deep.equal([200, `${word}\n`]);
      const response = await fetch(`${url}/${word}`, json);
      expect(response.headers.get('content-type')).to.equal('application/json; charset=utf-8');
      expect(await response.json()).to.deep.equal({ [word]: true, reasons: [] });
    }
  });

  it('/v1/mesher/transparent answers what there is in that mode, and 404 in others', async () => {
    const base = `${url}/v1/mesher/transparent`;
    expect((await fetch(base)).status).to.equal(404);
    const asked: string[] = [];
    const transparent = {
      view: () => ({ listener: { host: '::', port: 14_956 }, runsAs: 'user 1337', settings: {}, destinations: [] }),
      connections: () => [],
      explain: (query: URLSearchParams): object => {
        if (query.get('port') === null) throw new MeshError('MESH_ERR_EXPLAIN_REQUEST', 'which port?');
        asked.push(query.toString());
        return { steps: [] };
      },
    };
    overrides = { transparent: () => transparent };
    expect(await (await fetch(base)).json()).to.have.nested.property('listener.port', 14_956);
    expect(await (await fetch(`${base}/connections`)).json()).to.deep.equal({ connections: [] });
    expect(await (await fetch(`${base}/explain?address=fd77%3A%3A2&port=80`)).json()).to.deep.equal({ steps: [] });
    expect(asked).to.deep.equal(['address=fd77%3A%3A2&port=80']);
    const wrong = await fetch(`${base}/explain`);
    expect([wrong.status, await wrong.json()]).to.have.nested.property('[1].message', 'which port?');
    expect(wrong.status).to.equal(400);
  });

  it('/ready answers 503 with every reason', async () => {
    const reasons = ['the registry has not answered yet', 'the listener at 127.0.0.1:30101 is not open'];
    overrides = { ready: () => ({ ready: false, reasons }) };
    const text = await fetch(`${url}/ready`);
    expect(text.status).to.equal(503);
    expect(await text.text()).to.equal(`not ready:\n- ${reasons[0]}\n- ${reasons[1]}\n`);
    const response = await fetch(`${url}/ready`, json);
    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ ready: false, reasons });
    expect((await fetch(`${url}/live`)).status).to.equal(200);
  });

  it('/live answers 503 with the reasons', async () => {
    overrides = { live: () => ({ ready: false, reasons: ['the listener broke'] }) };
    const response = await fetch(`${url}/live`, json);
    expect(response.status).to.equal(503);
    expect(await response.json()).to.deep.equal({ live: false, reasons: ['the listener broke'] });
  });

  for (const path of ['/metrics', '/v1/mesher/metrics']) {
    it(`${path} shows the page of a MetricsPage`, async () => {
      const definition = { name: 'jobs', type: 'gauge', group: 'process', labels: [], help: 'Jobs.' } as const;
      const page = new MetricsPage([new SmallFamily(definition, () => [{ labels: {}, value: 7 }])]);
      overrides = { metrics: () => page.render() };
      const response = await fetch(`${url}${path}`);
      expect(response.headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
      expect(parsePrometheusText(await response.text()).get('jobs')?.samples[0]?.value).to.equal(7);
    });
  }

  it('/v1/mesher/version names the versions and leaves what is unknown empty', async () => {
    const body: unknown = await (await fetch(`${url}/v1/mesher/version`)).json();
    expect(body).to.deep.equal({ version: '0.1.0', commit: '', built: '', node: '20.19.0' });
    overrides = { version: () => ({ version: '1', node: '2', commit: 'abc', built: '2026-01-01T00:00:00Z' }) };
    const full: unknown = await (await fetch(`${url}/v1/mesher/version`)).json();
    expect(full).to.deep.equal({ version: '1', commit: 'abc', built: '2026-01-01T00:00:00Z', node: '2' });
  });

  it('/v1/mesher/health has the shape of the original, and 500 when red', async () => {
    const green = await fetch(`${url}/v1/mesher/health`);
    expect(green.status).to.equal(200);
    const same = { serviceName: 'hello', version: '1.2.3', connectedMonitoring: false };
    expect(await green.json()).to.deep.equal({ ...same, status: 'green', error: '' });
    overrides = { health: () => ({ serviceName: 'hello', version: '1.2.3', status: 'red', error: 'no registry' }) };
    const red = await fetch(`${url}/v1/mesher/health`);
    expect(red.status).to.equal(500);
    expect(await red.json()).to.deep.equal({ ...same, status: 'red', error: 'no registry' });
    const checks = [{ check: 'rest:8080/health', state: 'up', detail: 'status 200' }] as const;
    overrides = { health: () => ({ serviceName: 'hello', version: '1.2.3', status: 'green', checks }) };
    const checked = await fetch(`${url}/v1/mesher/health`);
    expect(await checked.json()).to.deep.equal({ ...same, status: 'green', error: '', checks });
  });

  it('/config, /services and /pools show what their source says', async () => {
    for (const name of ['config', 'services', 'pools'] as const) {
      const response = await fetch(`${url}/${name}`);
      expect(response.status).to.equal(200);
      expect(await response.json()).to.deep.equal(fakeSources()[name]());
    }
  });

  it('/services can say why an endpoint is out', async () => {
    const endpoint = {
      address: '10.0.0.7:8080',
      protocol: 'rest',
      weight: 1,
      available: false,
      reason: 'the instance is DOWN',
    };
    const instance = {
      instanceId: '1',
      app: 'shop',
      version: '1.0.0',
      status: 'DOWN',
      metadata: {},
      endpoints: [endpoint],
    };
    const service = {
      service: 'world',
      exists: true,
      freshness: 'stale' as const,
      ageSeconds: 90,
      lastError: 'refused',
      instances: [instance],
    };
    const view = { registries: [], services: [service] };
    overrides = { services: () => view };
    expect(await (await fetch(`${url}/services`)).json()).to.deep.equal(view);
  });

  it('POST /drain answers 202 each time it is asked', async () => {
    let drains = 0;
    overrides = { drain: () => void drains++ };
    for (let turn = 1; turn <= 2; turn++) {
      const response = await fetch(`${url}/drain`, { method: 'POST', body: '{}' });
      expect([response.status, await response.json(), drains]).to.deep.equal([202, { status: 'draining' }, turn]);
    }
  });

  it('/ lists every route, as text or as a page with links', async () => {
    const text = await (await fetch(`${url}/`)).text();
    const page = await fetch(`${url}/`, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).to.include("default-src 'none'");
    const html = await page.text();
    expect(html).to.include('(<code>http1</code>, <code>http2</code>)').and.not.include('`');
    for (const { method, path } of ADMIN_ROUTES) {
      expect(text).to.match(new RegExp(`^${method} +${path} `, 'm'));
      expect(html).to.include(method === 'GET' ? `href="${path}"` : path);
    }
  });

  it('every GET route takes HEAD and answers it with the same head and no body', async () => {
    for (const { path } of ADMIN_ROUTES.filter((route) => route.method === 'GET')) {
      const [get, head] = [await fetch(url + path), await fetch(url + path, { method: 'HEAD' })];
      expect(head.status).to.equal(get.status);
      for (const name of ['content-type', 'content-length', 'cache-control']) {
        expect(head.headers.get(name), `${path} ${name}`).to.equal(get.headers.get(name)).and.not.to.equal(null);
      }
      expect(await head.text()).to.equal('');
    }
  });

  it('a query changes nothing', async () => {
    expect((await fetch(`${url}/live?verbose=1`)).status).to.equal(200);
  });

  it('another path answers 404 with the routes that there are', async () => {
    for (const path of ['/nothing', '/live/', '//live', '/v1/mesher', '/..%2fconfig', '/__proto__']) {
      const response = await fetch(url + path);
      expect(response.status, path).to.equal(404);
      const body = (await response.json()) as { code: string; routes: string[] };
      expect(body.code).to.equal('NOT_FOUND');
      expect(body.routes.map((line) => line.split(/ +/)[1])).to.deep.equal(ADMIN_ROUTES.map((route) => route.path));
    }
  });

  it('/v1/mesher/explain hands the request on and shows the explanation, or says what is wrong with the request', async () => {
    const ask = (body: string): Promise<Response> => fetch(`${url}/v1/mesher/explain`, { method: 'POST', body });
    const good = await ask('{"url":"http://world/ä"}');
    expect([good.status, await good.json()]).to.deep.equal([200, { sent: true, request: { url: 'http://world/ä' } }]);
    const broken = await ask('{');
    expect([broken.status, ((await broken.json()) as { code: string }).code]).to.deep.equal([400, 'BAD_REQUEST']);
    overrides = { explain: () => Promise.reject(new MeshError('MESH_ERR_EXPLAIN_REQUEST', "it needs a 'url'")) };
    const wrong = await ask('{}');
    expect([wrong.status, ((await wrong.json()) as { message: string }).message]).to.deep.equal([
      400,
      "it needs a 'url'",
    ]);
    overrides = { explain: () => Promise.reject(new Error('a resolver broke')) };
    expect((await ask('{}')).status).to.equal(500);
  });

  it('configuration cannot be written: the port has no login', async () => {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      expect((await fetch(`${url}/v1/mesher/config`, { method })).status, method).to.equal(404);
    }
  });

  it('another method answers 405 with those that are allowed', async () => {
    const cases = [
      ['GET', '/drain', 'POST'],
      ['HEAD', '/drain', 'POST'],
      ['POST', '/config', 'GET, HEAD'],
      ['PUT', '/config', 'GET, HEAD'],
      ['DELETE', '/services', 'GET, HEAD'],
      ['OPTIONS', '/live', 'GET, HEAD'],
    ] as const;
    for (const [method, path, allow] of cases) {
      const response = await fetch(url + path, { method });
      expect([response.status, response.headers.get('allow')], `${method} ${path}`).to.deep.equal([405, allow]);
    }
  });

  it('every answer forbids caching and guessing of its type', async () => {
    for (const path of [...ADMIN_ROUTES.map((route) => route.path), '/nothing']) {
      const response = await fetch(url + path);
      expect(response.headers.get('cache-control'), path).to.equal('no-store');
      expect(response.headers.get('x-content-type-options'), path).to.equal('nosniff');
    }
  });

  it('a source that throws costs its own route only, and is logged', async () => {
    overrides = {
      services: () => {
        throw new Error('directory trouble');
      },
      metrics: () => Promise.reject(new Error('page trouble')),
    };
    for (const [path, trouble] of [
      ['/services', 'directory trouble'],
      ['/metrics', 'page trouble'],
    ] as const) {
      const response = await fetch(url + path);
      expect(response.status).to.equal(500);
      expect(await response.json())
        .to.have.property('message')
        .that.includes(trouble);
    }
    expect(logged.map((fields) => fields['route'])).to.deep.equal(['/services', '/metrics']);
    expect((await fetch(`${url}/live`)).status).to.equal(200);
  });

  it('an answer that cannot be written closes the connection and is logged', async () => {
    overrides = { metrics: () => Promise.resolve({ contentType: 'bad\nvalue', body: '' }) };
    let failed = false;
    await fetch(`${url}/metrics`).catch(() => (failed = true));
    expect(failed).to.equal(true);
    expect(logged.length).to.equal(1);
    expect((await fetch(`${url}/live`)).status).to.equal(200);
  });
});

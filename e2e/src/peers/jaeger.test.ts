import { expect } from 'chai';
import { fieldsOf, type App, type Echo } from '../support/app.js';
import { requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { Jaeger, type JaegerSpan } from '../support/jaeger.js';
import { useScene, type Scene } from '../support/scene.js';
import type { Settings, Sidecar } from '../support/sidecar.js';

/** How spans may reach Jaeger: what files and variables say. */
interface Way {
  readonly tracing?: (jaeger: Jaeger) => Settings;
  readonly env?: (jaeger: Jaeger) => Record<string, string>;
}

const QUICK = { JAEGER_REPORTER_FLUSH_INTERVAL: '50ms' };
const ALL = { JAEGER_SAMPLER_TYPE: 'const', JAEGER_SAMPLER_PARAM: '1', ...QUICK };

const WAYS: Readonly<Record<string, Way>> = {
  'by OTLP over HTTP': {
    tracing: ({ ports }) => ({ tracer: 'otlp', settings: { URI: `http://127.0.0.1:${ports.otlp}/v1/traces` } }),
  },
  'by the API of Zipkin': {
    tracing: ({ ports }) => ({ tracer: 'zipkin', settings: { URI: `http://127.0.0.1:${ports.zipkin}/api/v2/spans` } }),
  },
  'in datagrams to its agent': {
    env: ({ ports }) => ({ JAEGER_AGENT_HOST: 'localhost', JAEGER_AGENT_PORT: `${ports.agent}`, ...ALL }),
  },
  'in Thrift over HTTP': {
    env: ({ ports }) => ({ JAEGER_ENDPOINT: `http://127.0.0.1:${ports.collector}/api/traces`, ...ALL }),
  },
};

describe('a real Jaeger', () => {
  const scene = useScene();
  before(function () {
    requireBuilt(this, 'all-in-one');
  });

  for (const [name, way] of Object.entries(WAYS)) {
    it(`shows one trace of linked spans that came ${name}`, async () => {
      const jaeger = await Jaeger.start(scene());
      const { front, shopApp } = await chainOf(scene(), {
        chassis: {
          tracing: { ...way.tracing?.(jaeger), settings: { batchInterval: '50ms', ...settingsOf(way, jaeger) } },
        },
        env: { JAEGER_TAGS: 'zone=${ZONE:south}', ...way.env?.(jaeger) },
      });
      const inbound = JSON.parse((await front.call('http://shop/users/17?token=secret')).body) as Echo;
      const [requestId = ''] = fieldsOf(inbound, 'x-request-id');
      const failed = await shopApp.callOut('http://nowhere/stock', { headers: { 'x-request-id': requestId } });
      expect(failed.status).to.equal(404);
      const gone = await shopApp.callOut('http://gone/stock/42', { headers: { 'x-request-id': requestId } });
      expect(gone.status).to.equal(502);
      const all = await jaeger.atLeast('front', 4);
      const isRefused = (span: JaegerSpan): boolean => span.tags['mesher.error'] === 'MESH_ERR_NO_ROUTE';
      const [refused] = all.filter(isRefused);
      const spans = all.filter((span) => !isRefused(span));
      const [client, server, onward] = [
        spanOf(spans, 'front', 'client'),
        ...['server', 'client'].map((kind) => spanOf(spans, 'shop', kind)),
      ] as [JaegerSpan, JaegerSpan, JaegerSpan];
      expect(new Set(all.map(({ traceID }) => traceID)).size).to.equal(1);
      expect([refused?.parent, String(refused?.tags['http.status_code'])]).to.deep.equal([server.spanID, '404']);
      expect(client.traceID).to.match(/^[0-9a-f]{32}$/);
      expect([client, server, onward].map(({ parent }) => parent)).to.deep.equal(['', client.spanID, server.spanID]);
      const names = ['GET shop/users/{id}', 'GET /users/{id}', 'GET gone/stock/{id}'];
      // Zipkin's API has names in lower case.
      const shown = [client, server, onward].map(({ operationName }) => operationName);
      expect(shown.map((text) => text.toLowerCase())).to.deep.equal(names.map((text) => text.toLowerCase()));
      expect(JSON.stringify(spans)).to.not.contain('secret');
      expect(String(server.tags['http.status_code'])).to.equal('200');
      expect(String(onward.tags['http.status_code'])).to.equal('502');
      expect(onward.tags['mesher.error']).to.equal('MESH_ERR_CONNECT');
      expect(String(onward.tags['error'])).to.equal('true');
      expect(server.tags).to.not.have.property('error');
      expect({ ...server.processTags, ...server.tags }['zone']).to.equal('south');
      expect(server.duration).to.be.within(1, 60_000_000);
      expect(server.startTime).to.be.at.least(client.startTime - 1_000);
    });
  }

  it('gets the spans of a batch that fills many datagrams, before the process ends, numbers as numbers', async () => {
    const jaeger = await Jaeger.start(scene());
    const env = { JAEGER_AGENT_HOST: '127.0.0.1', JAEGER_AGENT_PORT: `${jaeger.ports.agent}`, ...ALL };
    const { front } = await chainOf(scene(), { env: { ...env, JAEGER_REPORTER_FLUSH_INTERVAL: '10s' } });
    const headers = { 'user-agent': 'x'.repeat(1_000) };
    for (let i = 0; i < 300; i++) expect((await front.call('http://shop/', { headers })).status).to.equal(200);
    await front.process.stop();
    const spans = await eventually('the spans of front', async () => {
      const own = (await jaeger.spans('front')).filter(({ service }) => service === 'front');
      // Nobody promises that a datagram comes.
      return own.length >= 280 && own;
    });
    expect(spans[279]?.tags).to.deep.include({ 'http.status_code': 200, 'user_agent.original': 'x'.repeat(1_000) });
  });

  it('says what is sampled: each service as its strategies have it', async () => {
    const jaeger = await Jaeger.start(scene(), {
      default_strategy: { type: 'probabilistic', param: 0 },
      service_strategies: [
        { service: 'front', type: 'probabilistic', param: 1 },
        {
          service: 'picky',
          type: 'probabilistic',
          param: 0,
          operation_strategies: [{ operation: 'GET shop/wanted', type: 'probabilistic', param: 1 }],
        },
      ],
    });
    const env = {
      ...{ JAEGER_AGENT_HOST: '127.0.0.1', JAEGER_AGENT_PORT: `${jaeger.ports.agent}`, ...QUICK },
      JAEGER_SAMPLER_MANAGER_HOST_PORT: `127.0.0.1:${jaeger.ports.sampling}`,
    };
    const { front } = await chainOf(scene(), { env });
    const picky = await scene().sidecar({ service: 'picky', host: 'none', env });
    const silent = await scene().sidecar({ service: 'silent', host: 'none', env });
    for (const { process } of [front, picky, silent]) await process.untilPrinted(/has said what is recorded/);
    for (const path of ['/wanted', '/unwanted']) {
      for (const sidecar of [front, picky, silent]) await sidecar.call(`http://shop${path}`);
    }
    await jaeger.atLeast('front', 4);
    await jaeger.atLeast('picky', 2);
    const [, shop] = [await jaeger.spans('picky'), await jaeger.spans('shop')];
    expect(shop.filter(({ service }) => service === 'picky').map(({ operationName }) => operationName)).to.deep.equal([
      'GET shop/wanted',
    ]);
    expect(await jaeger.spans('silent')).to.deep.equal([]);
  });

  it('that is dead fails no call, and gets spans again when it is back', async () => {
    const jaeger = await Jaeger.start(scene());
    const agent = { JAEGER_AGENT_HOST: '127.0.0.1', JAEGER_AGENT_PORT: `${jaeger.ports.agent}`, ...ALL };
    const collector = { JAEGER_ENDPOINT: `http://127.0.0.1:${jaeger.ports.collector}/api/traces`, ...ALL };
    await scene().service('shop');
    const callers = [
      await scene().sidecar({ service: 'datagrams', host: 'none', env: agent }),
      await scene().sidecar({ service: 'over-http', host: 'none', env: collector }),
    ];
    await jaeger.process.kill();
    for (const caller of callers) {
      for (let i = 0; i < 20; i++) expect((await caller.call('http://shop/')).status).to.equal(200);
      await eventually(
        'spans that failed',
        async () => (await caller.metric('mesher_spans_total', { result: 'failed' })) > 0,
      );
    }
    await jaeger.start();
    for (const caller of callers) {
      await eventually(`spans of ${caller.service}`, async () => {
        expect((await caller.call('http://shop/')).status).to.equal(200);
        return (await jaeger.spans(caller.service)).length > 0;
      });
    }
  });
});

interface Chain {
  readonly front: Sidecar;
  readonly shopApp: App;
}

/** client → sidecar of front → sidecar of shop → shop → sidecar of shop → an instance that is gone. */
async function chainOf(scene: Scene, options: { chassis?: Settings; env: Record<string, string> }): Promise<Chain> {
  const port = await scene.ports.take();
  const shopApp = await scene.app({ name: 'shop', proxy: `127.0.0.1:${port}` });
  await scene.sidecar({ service: 'shop', app: shopApp, port, ...options });
  await scene.write('disco/gone', `127.0.0.1 ${await scene.ports.take()}\n`);
  return { front: await scene.sidecar({ service: 'front', host: 'none', ...options }), shopApp };
}

function settingsOf({ tracing }: Way, jaeger: Jaeger): Settings {
  return (tracing?.(jaeger)['settings'] ?? {}) as Settings;
}

function spanOf(spans: readonly JaegerSpan[], service: string, kind: string): JaegerSpan {
  const found = spans.filter((span) => span.service === service && span.tags['span.kind'] === kind);
  expect(found, `spans of ${service}, ${kind}`).to.have.length(1);
  return found[0] as JaegerSpan;
}

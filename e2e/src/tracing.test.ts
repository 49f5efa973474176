import { expect } from 'chai';
import { CollectorDouble, type CollectedSpan } from '@mesher/tracing-otel/testing';
import { fieldsOf, type App, type Echo } from './support/app.js';
import { GrpcApp } from './support/grpc/grpc-app.js';
import { GrpcClient } from './support/grpc/grpc-client.js';
import { eventually } from './support/eventually.js';
import { useScene, type Scene } from './support/scene.js';
import type { Settings, Sidecar } from './support/sidecar.js';

let collector: CollectorDouble;

interface Chain {
  readonly front: Sidecar;
  readonly shop: Sidecar;
  readonly back: Sidecar;
  readonly shopApp: App;
}

/** client → sidecar of front → sidecar of shop → shop → sidecar of shop → sidecar of back → back. */
async function chainOf(scene: Scene, chassis: Settings): Promise<Chain> {
  const port = await scene.ports.take();
  const shopApp = await scene.app({ name: 'shop', proxy: `127.0.0.1:${port}` });
  const backApp = await scene.app({ name: 'back' });
  const back = await scene.sidecar({ service: 'back', app: backApp, chassis });
  // Inbound and outbound calls of one application share what is remembered, so one process serves both.
  const shop = await scene.sidecar({ service: 'shop', app: shopApp, port, chassis });
  const front = await scene.sidecar({ service: 'front', host: 'none', chassis });
  return { front, shop, back, shopApp };
}

const BAGGAGE = { 'Uberctx-User': 'ann', baggage: 'tenant=a' };

/** The application gets a request, and passes on nothing of it but the request id. */
async function callThrough({ front, shopApp }: Chain, path: string): Promise<Echo> {
  const inbound = JSON.parse((await front.call(`http://shop${path}`, { headers: BAGGAGE })).body) as Echo;
  const [requestId = ''] = fieldsOf(inbound, 'x-request-id');
  const onward = await shopApp.callOut('http://back/stock/42', { headers: { 'x-request-id': requestId } });
  return JSON.parse(onward.body) as Echo;
}

function spanOf(spans: readonly CollectedSpan[], service: string, kind: string): CollectedSpan {
  const found = spans.filter((span) => span.service === service && span.kind === kind);
  expect(found, `spans of ${service}, ${kind}`).to.have.length(1);
  return found[0] as CollectedSpan;
}

function expectOneTrace(spans: readonly CollectedSpan[]): void {
  const [a, b] = [spanOf(spans, 'front', 'client'), spanOf(spans, 'shop', 'server')];
  const [c, d] = [spanOf(spans, 'shop', 'client'), spanOf(spans, 'back', 'server')];
  expect(new Set(spans.map(({ traceId }) => traceId)).size).to.equal(1);
  expect([a.parentSpanId, b.parentSpanId, c.parentSpanId, d.parentSpanId]).to.deep.equal([
    ...['', a.spanId, b.spanId, c.spanId],
  ]);
  expect([a.name, b.name, c.name, d.name]).to.deep.equal([
    ...['GET shop/users/{id}', 'GET /users/{id}', 'GET back/stock/{id}', 'GET /stock/{id}'],
  ]);
  for (const span of spans) expect(span.tags).to.include({ 'http.status_code': '200', 'http.method': 'GET' });
}

describe('tracing', () => {
  const scene = useScene();
  beforeEach(async () => {
    collector = await CollectorDouble.start();
  });
  afterEach(() => collector.close());

  for (const tracer of ['otlp', 'zipkin', 'jaeger'] as const) {
    it(`brings four linked spans to a collector of ${tracer}, although the application forwards X-Request-Id only`, async () => {
      const { otlpUri, zipkinUri, jaegerUri } = collector;
      const URI = { otlp: otlpUri, zipkin: zipkinUri, jaeger: jaegerUri }[tracer];
      const chain = await chainOf(scene(), { tracing: { tracer, settings: { URI, batchInterval: '100ms' } } });
      const echo = await callThrough(chain, '/users/17?token=secret');
      expectOneTrace(await collector.atLeast(4));
      expect(JSON.stringify(collector.spans)).to.not.contain('secret');
      expect([...fieldsOf(echo, 'uberctx-user'), ...fieldsOf(echo, 'baggage')]).to.deep.equal(['ann', 'tenant=a']);
      // One field, with the span of the sidecar that the application stands behind.
      expect(fieldsOf(echo, 'traceparent')).to.deep.equal([
        `00-${collector.spans[0]?.traceId}-${spanOf(collector.spans, 'back', 'server').spanId}-01`,
      ]);
      await eventually(
        'an exported span',
        async () => (await chain.front.metric('mesher_spans_total', { result: 'exported' })) === 1,
      );
    });
  }

  it('speaks the headers of Jaeger and B3 when it is told to, one field each', async () => {
    const chassis = {
      tracing: { tracer: 'otlp', settings: { URI: collector.otlpUri }, formats: { write: 'jaeger,b3' } },
    };
    await scene().service('shop', { chassis });
    const front = await scene().sidecar({ service: 'front', host: 'none', chassis });
    const headers = { 'uber-trace-id': 'abc:17:0:1' };
    const echo = JSON.parse((await front.call('http://shop/', { headers })).body) as Echo;
    expect(fieldsOf(echo, 'uber-trace-id')).to.have.length(1);
    expect(fieldsOf(echo, 'uber-trace-id')[0]).to.match(/^0000000000000abc:[0-9a-f]{16}:[0-9a-f]{16}:1$/);
    expect(fieldsOf(echo, 'b3')[0]).to.match(/^0000000000000abc-[0-9a-f]{16}-1-[0-9a-f]{16}$/);
    expect(fieldsOf(echo, 'traceparent')).to.deep.equal([]);
  });

  it('shows calls of gRPC with their method and status, in both sidecars', async () => {
    const chassis = { tracing: { tracer: 'otlp', settings: { URI: collector.otlpUri, batchInterval: '50ms' } } };
    const app = await GrpcApp.start(scene(), { name: 'greeter' });
    await scene().sidecar({ service: 'greeter', grpcApp: app, chassis });
    const front = await scene().sidecar({ service: 'front', host: 'none', grpc: true, chassis });
    const client = new GrpcClient(front.grpcOutbound, 'greeter');
    expect((await client.say('hello')).message?.toString()).to.equal('hello');
    await client.say('fail', { fail: '13' });
    client.close();
    const spans = await collector.atLeast(4);
    expect(new Set(spans.map(({ name }) => name))).to.deep.equal(new Set(['mesher.test.Echo/Say']));
    for (const inner of spans.filter(({ kind }) => kind === 'server')) {
      const outer = spans.find(({ spanId }) => spanId === inner.parentSpanId);
      expect(outer?.traceId).to.equal(inner.traceId);
      expect([inner.tags['rpc.grpc.status_code'], inner.isError]).to.deep.equal([
        ...[outer?.tags['rpc.grpc.status_code'], outer?.isError],
      ]);
    }
    expect(spans.filter(({ isError }) => isError)).to.have.length(2);
  });

  it('shows the attempts of a call that was tried again', async () => {
    const { app } = await scene().service('shop');
    await scene().write('disco/twice', `127.0.0.1 1\n127.0.0.1 ${app.port}\n`);
    const tracing = { tracer: 'otlp', settings: { URI: collector.otlpUri, batchInterval: '50ms' } };
    const front = await scene().sidecar({ service: 'front', host: 'none', chassis: { tracing } });
    // The first instance is one that nobody listens at; it is tried first by one of two calls.
    for (let i = 0; i < 2; i++) expect((await front.call('http://twice/')).status).to.equal(200);
    const tried = (await collector.atLeast(2)).filter(({ events }) => events.length > 0);
    expect(tried.map(({ events, isError }) => [...events, isError])).to.deep.equal([['attempt', 'attempt', false]]);
  });

  it('takes the place that variables of OpenTelemetry and Jaeger name', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      OTEL_SERVICE_NAME: 'the-shop',
      JAEGER_SAMPLER_TYPE: 'const',
      JAEGER_SAMPLER_PARAM: '1',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    await scene().service('shop', { env });
    const front = await scene().sidecar({ service: 'front', host: 'none' });
    await front.call('http://shop/');
    expect((await collector.atLeast(1)).map(({ service }) => service)).to.deep.equal(['the-shop']);
  });

  it('is of no concern to calls when the collector is dead or never answers, and sends the last spans at the end', async () => {
    const chassis = {
      tracing: { tracer: 'otlp', settings: { URI: collector.otlpUri, batchInterval: '20ms', timeout: '200ms' } },
    };
    await scene().service('shop');
    const sidecar = await scene().sidecar({ service: 'front', host: 'none', chassis });
    const callTen = async (): Promise<number[]> =>
      await Promise.all(Array.from({ length: 10 }, async () => (await sidecar.call('http://shop/')).status));
    const { port } = collector;
    collector.mood = 'silent';
    expect(new Set(await callTen())).to.deep.equal(new Set([200]));
    await eventually(
      'a failed batch',
      async () => (await sidecar.metric('mesher_spans_total', { result: 'failed' })) > 0,
    );
    await collector.close();
    expect(new Set(await callTen())).to.deep.equal(new Set([200]));
    collector = await CollectorDouble.start(port);
    await eventually('spans again', async () => {
      await sidecar.call('http://shop/');
      return collector.spans.length > 0;
    });
    await sidecar.call('http://shop/last');
    sidecar.process.signal('SIGTERM');
    await eventually('the last span', () => collector.spans.some(({ name }) => name === 'GET shop/last'));
  });

  it('leaves requests as they are while it is off', async () => {
    await scene().service('shop');
    const front = await scene().sidecar({ service: 'front', host: 'none' });
    const echo = JSON.parse((await front.call('http://shop/', { headers: { b3: '0' } })).body) as Echo;
    expect([fieldsOf(echo, 'traceparent'), fieldsOf(echo, 'b3')]).to.deep.equal([[], ['0']]);
    expect(collector.requests).to.equal(0);
  });
});

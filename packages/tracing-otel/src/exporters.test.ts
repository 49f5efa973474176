import { expect } from 'chai';
import {
  silentLogger,
  systemPorts,
  type ExporterSettings,
  type PluginContext,
  type SpanExporter,
  type SpanRecord,
} from '@mesher/core';
import { jaegerExporter, otlpExporter, zipkinExporter } from './exporters.js';
import { hrTime } from './exporting/readable-span.js';
import { CollectorDouble } from './testing/collector-double.js';

const SERVER: SpanRecord = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: undefined,
  tracestate: 'a=1',
  kind: 'server',
  name: 'GET /users/{id}',
  startMs: 1_700_000_000_000.25,
  durationMs: 12.5,
  tags: { 'http.status_code': 503, error: true, 'http.method': 'GET' },
  events: [{ name: 'attempt', timeMs: 1_700_000_000_001, tags: { attempt: 1 } }],
  error: '503',
};
const CLIENT: SpanRecord = {
  ...SERVER,
  ...{
    spanId: '00f067aa0ba902b7',
    parentSpanId: SERVER.spanId,
    kind: 'client',
    error: undefined,
    tags: {},
    events: [],
  },
};

let collector: CollectorDouble;
let exporter: SpanExporter;

async function opened(plugin: typeof otlpExporter, uri: string, timeoutMs = 5_000): Promise<SpanExporter> {
  const settings: ExporterSettings = {
    ...{ uri, timeoutMs, service: 'shop', more: new Map(), logger: silentLogger(), ports: systemPorts() },
    tags: new Map([['zone', 'a']]),
  };
  const factory = await plugin.create(undefined, {} as PluginContext);
  return await factory.open(settings);
}

describe('exporting spans', () => {
  beforeEach(async () => {
    collector = await CollectorDouble.start();
  });
  afterEach(async () => {
    await collector.close();
    await exporter.close();
  });

  for (const [plugin, uriOf] of [
    [otlpExporter, ({ otlpUri }: CollectorDouble) => otlpUri],
    [zipkinExporter, ({ zipkinUri }: CollectorDouble) => zipkinUri],
    [jaegerExporter, ({ jaegerUri }: CollectorDouble) => jaegerUri],
  ] as const) {
    it(`by ${plugin.name} brings them to the collector as they are`, async () => {
      exporter = await opened(plugin, uriOf(collector));
      await exporter.export([SERVER, CLIENT]);
      const [server, client] = collector.spans;
      expect(server).to.deep.include({
        ...{ traceId: SERVER.traceId, spanId: SERVER.spanId, parentSpanId: '', kind: 'server', name: SERVER.name },
        ...{ service: 'shop', events: ['attempt'], isError: true, startUs: 1_700_000_000_000_250, durationUs: 12_500 },
      });
      expect(server?.tags).to.include({ zone: 'a', 'http.status_code': '503', 'http.method': 'GET' });
      expect(client).to.include({ kind: 'client', parentSpanId: SERVER.spanId, isError: false });
    });

    it(`by ${plugin.name} fails when the collector refuses them or is not there`, async () => {
      collector.mood = 400;
      exporter = await opened(plugin, uriOf(collector));
      expect(await exporter.export([SERVER]).catch((error: unknown) => error)).to.be.instanceOf(Error);
      await collector.close();
      const nowhere = await opened(plugin, uriOf(collector), 200);
      expect(await nowhere.export([SERVER]).catch((error: unknown) => error)).to.be.instanceOf(Error);
      collector = await CollectorDouble.start();
    });

    it(`by ${plugin.name} takes one batch right after another`, async () => {
      exporter = await opened(plugin, uriOf(collector));
      for (let i = 0; i < 8; i++) await exporter.export([SERVER]);
      expect(collector.spans).to.have.length(8);
    });

    it(`by ${plugin.name} goes to the usual path when the URI has none`, async () => {
      exporter = await opened(plugin, `http://127.0.0.1:${collector.port}`);
      await exporter.export([SERVER]);
      expect(collector.spans).to.have.length(1);
    });

    it(`by ${plugin.name} has no more than a few batches with a collector that never answers`, async () => {
      collector.mood = 'silent';
      exporter = await opened(plugin, uriOf(collector), 500);
      const waiting = Array.from({ length: 4 }, () => exporter.export([SERVER]).catch(() => undefined));
      const refused = await exporter.export([SERVER]).catch((error: unknown) => error);
      expect(String(refused)).to.match(/does not answer/);
      await collector.close();
      await Promise.all(waiting);
      collector = await CollectorDouble.start();
    });
  }

  it('is refused at the start for a place that HTTP does not reach', async () => {
    exporter = await opened(otlpExporter, collector.otlpUri);
    const factory = await otlpExporter.create(undefined, {} as PluginContext);
    const check = (uri: string): string | undefined => factory.check?.({ uri, more: new Map() });
    expect(check('grpc://c:4317')).to.contain('none of http or https');
    expect(check('collector:4318')).to.contain('none of http or https');
    expect(check('https://c/v1/traces')).to.equal(undefined);
  });

  it('has times in whole microseconds, without which Jaeger refuses a batch of Zipkin', async () => {
    expect(hrTime(1_700_000_000_123.5)).to.deep.equal([1_700_000_000, 123_500_000]);
    expect(hrTime(1_700_000_000_999.9998)).to.deep.equal([1_700_000_001, 0]);
    exporter = await opened(zipkinExporter, collector.zipkinUri);
    const starts = Array.from({ length: 100 }, (_, i) => 1_700_000_000_000 + i * 1.000_7);
    await exporter.export(starts.map((startMs) => ({ ...SERVER, startMs })));
    expect(collector.spans.filter(({ startUs }) => !Number.isInteger(startUs))).to.deep.equal([]);
  });
});

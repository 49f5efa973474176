import { expect } from 'chai';
import {
  silentLogger,
  systemPorts,
  type ExporterSettings,
  type PluginContext,
  type SpanExporter,
  type SpanRecord,
} from '@mesher/core';
import { jaegerExporter } from '../exporters.js';
import { AgentDouble } from '../testing/agent-double.js';
import { CollectorDouble } from '../testing/collector-double.js';
import { readJaegerBatch, readJaegerDatagram } from '../testing/read-jaeger.js';
import { AgentExporter } from './agent-exporter.js';
import { Datagrams, httpBatch, MAX_DATAGRAM } from './batches.js';

const IDENTITY = { service: 'default.nginx', tags: new Map([['zone', 'ä']]) };

function span(more: Partial<SpanRecord> = {}): SpanRecord {
  return {
    traceId: '0af7651916cd43ddf448eb211c80319c',
    spanId: 'f7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    tracestate: 'a=1',
    kind: 'server',
    name: 'GET /users/{id}',
    startMs: 1_700_000_000_000.25,
    durationMs: 12.5,
    tags: {
      'http.status_code': 503,
      negative: -7,
      share: 0.25,
      error: true,
      ok: false,
      text: 'ü',
      'http.request_size': 2 ** 40,
    },
    events: [{ name: 'attempt', timeMs: 1_700_000_000_001, tags: { attempt: 1 } }],
    error: '503',
    ...more,
  };
}

function settings(more: Partial<ExporterSettings> = {}): ExporterSettings {
  const { service, tags } = IDENTITY;
  const ports = systemPorts();
  return { uri: undefined, timeoutMs: 5_000, service, tags, more: new Map(), logger: silentLogger(), ports, ...more };
}

async function opened(more: Partial<ExporterSettings>): Promise<SpanExporter> {
  return await (await jaegerExporter.create(undefined, {} as PluginContext)).open(settings(more));
}

const failureOf = (sent: Promise<void>): Promise<string> =>
  sent.then(
    () => 'sent',
    (error: unknown) => String(error),
  );

describe('spans in Thrift', () => {
  for (const [protocol, read] of [
    [
      'compact',
      () => new Datagrams(IDENTITY).of([span(), span({ parentSpanId: undefined })]).flatMap(readJaegerDatagram),
    ],
    ['binary', () => readJaegerBatch(httpBatch(IDENTITY, [span(), span({ parentSpanId: undefined })]))],
  ] as const) {
    it(`of the ${protocol} protocol say what the span says`, () => {
      const [child, root] = read();
      const { traceId, spanId, parentSpanId } = span();
      expect(child).to.deep.include({
        ...{ traceId, spanId, parentSpanId, name: 'GET /users/{id}', kind: 'server', service: 'default.nginx' },
        ...{ events: ['attempt'], isError: true, startUs: 1_700_000_000_000_250, durationUs: 12_500 },
      });
      expect(child?.tags).to.deep.equal({
        ...{ zone: 'ä', 'span.kind': 'server', 'w3c.tracestate': 'a=1', 'http.status_code': '503', negative: '-7' },
        ...{ share: '0.25', error: 'true', ok: 'false', text: 'ü', 'http.request_size': String(2 ** 40) },
      });
      expect(root?.parentSpanId).to.equal('');
    });
  }

  it('of the compact protocol are the bytes that its specification asks for', () => {
    const bare = span({
      parentSpanId: undefined,
      tracestate: undefined,
      tags: {},
      events: [],
      name: 'n',
      startMs: 0,
      durationMs: 0.001,
    });
    const [datagram] = new Datagrams({ service: 's', tags: new Map() }).of([
      { ...bare, traceId: '1'.padStart(32, '0'), spanId: 'f'.repeat(16) },
    ]);
    expect(datagram?.toString('hex')).to.equal(
      [
        '82810009' + Buffer.from('emitBatch').toString('hex'),
        // Arguments, the batch, and the process: its name, and no tags.
        '1c' + '1c' + '180173' + '190c' + '00',
        // One span: ids (low, high, own, parent), name, flags, start, duration, one tag.
        '191c' + '1602' + '1600' + '1601' + '1600' + '18016e' + '2502' + '1600' + '1602',
        '191c' +
          '1809' +
          Buffer.from('span.kind').toString('hex') +
          '1500' +
          '1806' +
          Buffer.from('server').toString('hex') +
          '00',
        '00' + '00' + '00',
      ].join(''),
    );
  });

  it('fill several datagrams, none larger than agents take', () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      span({ name: `span ${i}`, tags: { text: 'x'.repeat(i % 700) } }),
    );
    const datagrams = new Datagrams(IDENTITY).of(many);
    expect(datagrams.length).to.be.within(20, 50);
    expect(Math.max(...datagrams.map(({ length }) => length))).to.be.at.most(16_384 + 64);
    expect(datagrams.flatMap(readJaegerDatagram).map(({ name }) => name)).to.deep.equal(many.map(({ name }) => name));
  });

  it('lose events, then tags, when one of them fills a datagram alone', () => {
    const events = Array.from({ length: 900 }, () => ({
      name: 'attempt',
      timeMs: 0,
      tags: { endpoint: 'x'.repeat(80) },
    }));
    const tags = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`tag${i}`, 'x'.repeat(1_000)]));
    const large = [span({ events }), span({ tags, name: 'n'.repeat(100_000) }), span()];
    const datagrams = new Datagrams(IDENTITY).of(large);
    expect(Math.max(...datagrams.map(({ length }) => length))).to.be.at.most(MAX_DATAGRAM);
    const [noEvents, bare, whole] = datagrams.flatMap(readJaegerDatagram);
    expect(noEvents).to.deep.include({ events: [], isError: true });
    expect(noEvents?.tags).to.include({ 'mesher.truncated': 'true', 'http.status_code': '503' });
    expect(bare?.tags).to.deep.equal({ zone: 'ä', 'span.kind': 'server', 'mesher.truncated': 'true', error: 'true' });
    expect(bare?.name).to.have.length(1_024);
    expect(whole?.tags).to.not.have.property('mesher.truncated');
    expect(() => new Datagrams({ service: 's', tags: new Map([['a', 'x'.repeat(60_000)]]) })).to.throw('tracing.tags');
  });
});

describe('an exporter to an agent of Jaeger', () => {
  let agent: AgentDouble;
  let exporter: SpanExporter | undefined;
  beforeEach(async () => (agent = await AgentDouble.start()));
  afterEach(async () => {
    await exporter?.close();
    await agent.close();
  });

  it('sends a large batch as several datagrams over UDP', async () => {
    exporter = await opened({ uri: agent.uri });
    await exporter.export(
      Array.from({ length: 300 }, (_, i) => span({ name: `span ${i}`, tags: { text: 'x'.repeat(600) } })),
    );
    expect((await agent.atLeast(300)).at(-1)?.name).to.equal('span 299');
    expect(agent.sizes.length).to.be.greaterThan(2);
  });

  it('says when nobody listens, and sends again when somebody does', async () => {
    exporter = await opened({ uri: agent.uri });
    const { port } = agent;
    await agent.close();
    expect(await failureOf(exporter.export([span()]))).to.match(/ECONNREFUSED/);
    expect(await failureOf(exporter.export([span()]))).to.match(/ECONNREFUSED/);
    agent = await AgentDouble.start(port);
    await exporter.export([span()]);
    await agent.atLeast(1);
  });

  it('reaches one with an IPv6 address', async () => {
    await agent.close();
    agent = await AgentDouble.start(0, '::1');
    exporter = await opened({ uri: `udp://[::1]:${agent.port}` });
    await exporter.export([span()]);
    await agent.atLeast(1);
  });

  it('fails where no way leads, and throws nothing past the caller', async () => {
    // Nobody may connect to a broadcast address without asking for it (EACCES), wherever the test runs.
    exporter = await opened({ uri: `udp://255.255.255.255:${agent.port}` });
    for (let i = 0; i < 2; i++) expect(await failureOf(exporter.export([span()]))).to.match(/EACCES|ENETUNREACH/);
  });

  it('fails for a name that leads nowhere, and asks for it again with the next batch', async () => {
    const known: string[] = [];
    const lookUp = (): Promise<{ address: string; family: number }> =>
      known[0] === undefined
        ? Promise.reject(new Error('ENOTFOUND'))
        : Promise.resolve({ address: known[0], family: 4 });
    exporter = new AgentExporter({ host: 'jaeger-agent', port: agent.port }, settings(), lookUp);
    expect(await failureOf(exporter.export([span()]))).to.contain('ENOTFOUND');
    known.push('127.0.0.1');
    await exporter.export([span()]);
    await agent.atLeast(1);
  });

  it('looks its name up again after half a minute, and keeps what it knows when nobody answers', async () => {
    let now = 0;
    const ports = { ...systemPorts(), clock: { now: () => now, wallTime: () => 0 } };
    const asked: string[] = [];
    const lookUp = (host: string): Promise<{ address: string; family: number }> => {
      asked.push(host);
      return asked.length === 2
        ? Promise.reject(new Error('EAI_AGAIN'))
        : Promise.resolve({ address: '127.0.0.1', family: 4 });
    };
    exporter = new AgentExporter({ host: 'jaeger-agent', port: agent.port }, settings({ ports }), lookUp);
    for (now of [0, 29_000, 30_001, 60_002]) await exporter.export([span()]);
    expect(asked).to.have.length(3);
    await agent.atLeast(4);
  });
});

describe('an exporter to a collector of Jaeger', () => {
  it('proves who it is, by settings or by the URI', async () => {
    const collector = await CollectorDouble.start();
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const withSettings = await opened({
      uri: collector.jaegerUri,
      more: new Map([
        ['user', 'ann'],
        ['password', 'p:1'],
      ]),
    });
    await withSettings.export([span()]);
    expect(collector.authorization).to.equal(basic('ann:p:1'));
    const withUri = await opened({ uri: collector.jaegerUri.replace('//', '//bob:p%401@') });
    await withUri.export([span()]);
    expect(collector.authorization).to.equal(basic('bob:p@1'));
    await Promise.all([collector.close(), withSettings.close(), withUri.close()]);
  });

  it('gives up one that does not answer in time', async () => {
    const collector = await CollectorDouble.start();
    collector.mood = 'silent';
    const exporter = await opened({ uri: collector.jaegerUri, timeoutMs: 20 });
    expect(await failureOf(exporter.export([span()]))).to.contain('did not answer within 20 ms');
    await Promise.all([collector.close(), exporter.close()]);
  });

  it('is refused at the start for a place that it cannot reach', async () => {
    const factory = await jaegerExporter.create(undefined, {} as PluginContext);
    const check = (uri: string): string | undefined => factory.check?.({ uri, more: new Map() });
    expect(check('grpc://c:14250')).to.contain('none of udp, http or https');
    expect(check('jaeger:6831')).to.contain('none of udp, http or https');
    expect(check('udp://[::1]:6831') ?? check('udp://a') ?? check('https://c/api/traces')).to.equal(undefined);
  });
});

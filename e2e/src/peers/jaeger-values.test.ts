import { expect } from 'chai';
import {
  silentLogger,
  systemPorts,
  type ExporterSettings,
  type PluginContext,
  type SpanExporter,
  type SpanRecord,
  type TagValue,
} from '@mesher/core';
import { jaegerExporter } from '@mesher/tracing-otel';
import { requireBuilt } from '../support/built-program.js';
import { Jaeger, type JaegerSpan } from '../support/jaeger.js';
import { useScene } from '../support/scene.js';

/** What is easily written wrongly in either protocol of Thrift. */
const TAGS: Readonly<Record<string, TagValue>> = {
  ...{ zero: 0, one: 1, less: -1, least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER },
  ...{ 'above 31 bits': 2 ** 31, 'above 32 bits': 2 ** 32 + 5, 'below 32 bits': -(2 ** 32) - 5 },
  ...{ share: 0.1, 'less than a share': -1e-9, large: 1e300, yes: true, no: false },
  ...{ empty: '', umlaut: 'grüße', ключ: 'значение', face: '\u{1f600}', 'a byte': '\u00ff', line: 'a\r\nb\u0000c' },
  ...{ '63 characters': 'x'.repeat(63), '64 characters': 'é'.repeat(64), '129 characters': 'x'.repeat(129) },
};

function span(spanId: string, more: Partial<SpanRecord> = {}): SpanRecord {
  return {
    ...{ traceId: `f${'0'.repeat(30)}1`, spanId, parentSpanId: undefined, tracestate: undefined, kind: 'server' },
    ...{ name: 'GET /straße/{id}', startMs: Date.now(), durationMs: 0, tags: {}, events: [], error: undefined },
    ...more,
  };
}

describe('values that a real Jaeger reads', () => {
  const scene = useScene();
  let exporter: SpanExporter | undefined;

  before(function () {
    requireBuilt(this, 'all-in-one');
  });
  afterEach(() => exporter?.close());

  for (const [way, uriOf] of [
    ['a datagram', ({ ports }: Jaeger) => `udp://127.0.0.1:${ports.agent}`],
    ['Thrift over HTTP', ({ ports }: Jaeger) => `http://127.0.0.1:${ports.collector}/api/traces`],
  ] as const) {
    it(`are those of the span, when they come in ${way}`, async () => {
      const jaeger = await Jaeger.start(scene());
      const settings: ExporterSettings = {
        ...{ uri: uriOf(jaeger), timeoutMs: 5_000, service: 'värde', tags: new Map([['ort', 'Köln']]) },
        ...{ more: new Map(), logger: silentLogger(), ports: systemPorts() },
      };
      const opened = await (await jaegerExporter.create(undefined, {} as PluginContext)).open(settings);
      exporter = opened;
      const [root, child, large] = ['8000000000000000', 'ffffffffffffffff', '00000000000000ab'] as const;
      // Fifteen fields of a list need another form than fourteen.
      const events = Array.from({ length: 15 }, (_, i) => ({ name: `attempt ${i}`, timeMs: Date.now(), tags: TAGS }));
      await opened.export([
        span(root, { tags: TAGS }),
        span(child, { parentSpanId: root, events, tracestate: 'a=1', durationMs: 86_400_000.125 }),
        span(large, { parentSpanId: child, tags: { text: 'ü'.repeat(40_000) } }),
      ]);
      const found = new Map((await jaeger.atLeast('värde', 3)).map((one) => [one.spanID, one]));
      const at = (id: string): JaegerSpan => found.get(id) as JaegerSpan;
      expect([...found.keys()].sort()).to.deep.equal([large, root, child]);
      expect([root, child, large].map((id) => at(id).parent)).to.deep.equal(['', root, child]);
      expect(at(root).traceID).to.equal(span(root).traceId);
      expect(at(root).operationName).to.equal('GET /straße/{id}');
      expect(at(root).processTags).to.include({ ort: 'Köln' });
      expect(at(root).tags).to.deep.include(TAGS);
      expect(at(child).tags).to.include({ 'w3c.tracestate': 'a=1' });
      expect(at(child).duration).to.equal(86_400_000_125);
      expect(at(child).logs).to.have.length(15);
      expect(at(child).logs[14]).to.deep.include({ ...TAGS, event: 'attempt 14' });
      const { text, 'mesher.truncated': truncated } = at(large).tags;
      // 80 KB are more than a datagram has room for.
      if (way === 'a datagram') expect([text, truncated]).to.deep.equal([undefined, true]);
      else expect(text).to.equal('ü'.repeat(40_000));
    });
  }
});

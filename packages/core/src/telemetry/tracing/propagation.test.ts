import { expect } from 'chai';
import fc from 'fast-check';
import { FakeCall } from '../../testing/fake-call.js';
import { FORMAT_NAMES, Propagation, type FormatName } from './propagation.js';
import type { SpanContext } from './span-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SHORT = '00000000000000008448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const ALL = new Propagation(FORMAT_NAMES, FORMAT_NAMES);

function digits(width: number): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: width, maxLength: width })
    .map((all) => all.join(''))
    .filter((id) => /[^0]/.test(id));
}

const contexts: fc.Arbitrary<SpanContext> = fc.record({
  traceId: fc.oneof(
    digits(32),
    digits(16).map((id) => id.padStart(32, '0')),
  ),
  spanId: digits(16),
  sampled: fc.boolean(),
  debug: fc.constant(false),
  tracestate: fc.constant(undefined),
});

/** `trace span decision`, or why not. */
function read(format: FormatName, headers: Record<string, string>): string {
  const found = new Propagation([format], []).extract(new FakeCall({ headers }));
  if (found === undefined) return 'nothing';
  const { traceId = '-', spanId = '-', sampled, debug } = found;
  return `${traceId} ${spanId} ${debug ? 'debug' : sampled === undefined ? 'deferred' : sampled ? 'yes' : 'no'}`;
}

describe('a span context', () => {
  for (const name of FORMAT_NAMES) {
    it(`comes back from ${name} as it was written`, () => {
      fc.assert(
        fc.property(contexts, fc.option(digits(16), { nil: undefined }), (context, parent) => {
          const call = new FakeCall();
          new Propagation([], [name]).inject(call, context, parent);
          const { debug, ...rest } = new Propagation([name], []).extract(call.forwarded()) ?? { debug: true };
          expect({ ...rest, debug }).to.deep.equal(context);
        }),
      );
    });

    it(`is not read out of anything else by ${name}`, () => {
      fc.assert(
        fc.property(fc.string(), fc.string(), fc.string(), (text, other, third) => {
          const names = ['traceparent', 'tracestate', 'b3', 'uber-trace-id', 'x-b3-traceid', 'x-b3-spanid'];
          const headers = Object.fromEntries(names.map((field, i) => [field, [text, other, third][i % 3] ?? '']));
          const found = new Propagation([name], []).extract(new FakeCall({ headers }));
          if (found?.traceId !== undefined) expect(found.traceId).to.match(/^(?!0+$)[0-9a-f]{32}$/);
          if (found?.spanId !== undefined) expect(found.spanId).to.match(/^(?!0+$)[0-9a-f]{16}$/);
        }),
      );
    });
  }

  it('takes the place of what came: there is exactly one field per format', () => {
    const headers = {
      traceparent: `00-${TRACE}-${SPAN}-01`,
      b3: '0',
      'x-b3-traceid': TRACE,
      'x-b3-spanid': 'bad',
      'x-b3-flags': '1',
      'uber-trace-id': 'nonsense',
    };
    const context = { traceId: SHORT, spanId: SPAN, sampled: true, debug: false, tracestate: undefined };
    const call = new FakeCall({ headers });
    // Only one is configured; the others came along, and must not tell the next hop something else.
    new Propagation(FORMAT_NAMES, ['w3c']).inject(call, context, '00000000000000aa');
    expect(Object.fromEntries(call.leaving)).to.deep.equal({
      traceparent: `00-${SHORT}-${SPAN}-01`,
      b3: `8448eb211c80319c-${SPAN}-1-00000000000000aa`,
      'x-b3-traceid': '8448eb211c80319c',
      'x-b3-spanid': SPAN,
      'x-b3-parentspanid': '00000000000000aa',
      'x-b3-sampled': '1',
      'uber-trace-id': `8448eb211c80319c:${SPAN}:00000000000000aa:1`,
    });
    expect(call.leaving.length).to.equal(7);
  });

  it('is read in the configured order, and a bare decision only when nobody has ids', () => {
    const headers = {
      'uber-trace-id': `${TRACE}:${SPAN}:0:0`,
      b3: '1',
      traceparent: `00-${TRACE}-00000000000000ff-01`,
    };
    const call = new FakeCall({ headers });
    expect(new Propagation(['b3', 'jaeger', 'w3c'], []).extract(call)?.spanId).to.equal(SPAN);
    expect(ALL.extract(call)?.spanId).to.equal('00000000000000ff');
    expect(ALL.extract(new FakeCall({ headers: { b3: '0' } }))).to.include({ traceId: undefined, sampled: false });
    expect(ALL.extract(new FakeCall())).to.equal(undefined);
  });

  it('passes on of a long tracestate what others are bound to, whole members, since it is remembered', () => {
    const read = (tracestate: string): string | undefined =>
      ALL.extract(new FakeCall({ headers: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate } }))?.tracestate;
    const members = Array.from({ length: 100 }, (_, i) => `k${i + 10}=${'v'.repeat(6)}`);
    expect(read(members.slice(0, 46).join(','))).to.equal(members.slice(0, 46).join(','));
    expect(read(`large=${'x'.repeat(60_000)}, ${members.join(', ')}`)).to.equal(members.slice(0, 46).join(','));
    expect(read('x'.repeat(60_000))).to.equal(undefined);
    expect(read(','.repeat(60_000))).to.equal(undefined);
  });

  it('passes on tracestate with its trace, and drops that of another one', () => {
    const tracestate = 'vendor=1,other=2';
    const call = new FakeCall({ headers: { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate } });
    const context = { traceId: TRACE, spanId: SPAN, sampled: true, debug: false };
    ALL.inject(call, { ...context, tracestate }, undefined);
    expect(call.sent('tracestate')).to.deep.equal([tracestate]);
    ALL.inject(call, { ...context, tracestate: undefined }, undefined);
    expect(call.sent('tracestate')).to.deep.equal([]);
    const plain = new FakeCall();
    ALL.inject(plain, { ...context, tracestate }, undefined);
    expect(plain.sent('tracestate')).to.deep.equal([tracestate]);
  });
});

describe('what is right in headers of traces', () => {
  const cases: readonly (readonly [FormatName, Record<string, string>, string])[] = [
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01` }, `${TRACE} ${SPAN} yes`],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-02` }, `${TRACE} ${SPAN} no`],
    ['w3c', { traceparent: `cc-${TRACE}-${SPAN}-01-later` }, `${TRACE} ${SPAN} yes`],
    ['w3c', { traceparent: `cc-${TRACE}-${SPAN}-01later` }, 'nothing'],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01-later` }, 'nothing'],
    ['w3c', { traceparent: `ff-${TRACE}-${SPAN}-01` }, 'nothing'],
    ['w3c', { traceparent: `00-${TRACE.toUpperCase()}-${SPAN}-01` }, 'nothing'],
    ['w3c', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01` }, 'nothing'],
    ['w3c', { traceparent: `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01` }, 'nothing'],
    ['b3', { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, `${TRACE} ${SPAN} yes`],
    ['b3', { b3: `8448eb211c80319c-${SPAN}` }, `${SHORT} ${SPAN} deferred`],
    ['b3', { b3: `${TRACE}-${SPAN}-d` }, `${TRACE} ${SPAN} debug`],
    ['b3', { b3: '0' }, '- - no'],
    ['b3', { b3: `${TRACE}-${SPAN}-x` }, 'nothing'],
    ['b3', { b3: `${TRACE}-${SPAN}-1-2-3` }, 'nothing'],
    ['b3multi', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' }, `${TRACE} ${SPAN} no`],
    ['b3multi', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-flags': '1' }, `${TRACE} ${SPAN} debug`],
    ['b3multi', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN }, `${TRACE} ${SPAN} deferred`],
    ['b3multi', { 'x-b3-sampled': 'true' }, '- - yes'],
    ['b3multi', { 'x-b3-traceid': TRACE, 'x-b3-sampled': '1' }, 'nothing'],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:0:1` }, `${TRACE} ${SPAN} yes`],
    ['jaeger', { 'uber-trace-id': '8448eb211c80319c:1:0:0' }, `${SHORT} 0000000000000001 no`],
    ['jaeger', { 'uber-trace-id': `${TRACE}%3A${SPAN}%3A0%3A3` }, `${TRACE} ${SPAN} debug`],
    ['jaeger', { 'uber-trace-id': `${TRACE}:${SPAN}:1` }, 'nothing'],
    ['jaeger', { 'uber-trace-id': `0:${SPAN}:0:1` }, 'nothing'],
    ['jaeger', { 'jaeger-debug-id': 'ticket-7' }, '- - debug'],
  ];
  for (const [format, headers, expected] of cases) {
    it(`of ${format}: ${JSON.stringify(headers)}`, () => {
      expect(read(format, headers)).to.equal(expected);
    });
  }
});

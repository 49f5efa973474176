import { expect } from 'chai';
import fc from 'fast-check';
import { FakeCall } from '../testing/fake-call.js';
import { CONTEXT_FIELD, CallerMarks, SOURCE_FIELD, sourceOfContext } from './caller-marks.js';

/** A text as it arrives on the wire: bytes of UTF-8, read as latin1. */
function onTheWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function marked(headers: Readonly<Record<string, string>> = {}): FakeCall {
  const call = new FakeCall({ headers });
  new CallerMarks('orders').apply(call);
  return call;
}

/** The context that leaves; fails unless there is exactly one, and in ASCII. */
function contextOf(call: FakeCall): Record<string, unknown> {
  const [context = '', ...more] = call.sent(CONTEXT_FIELD);
  expect(more).to.deep.equal([]);
  expect(context).to.match(/^[\x20-\x7e]*$/);
  return JSON.parse(context) as Record<string, unknown>;
}

describe('the marks of the caller', () => {
  it('are its name in the context and in a field of its own', () => {
    const call = marked();
    expect(contextOf(call)).to.deep.equal({ [SOURCE_FIELD]: 'orders' });
    expect(call.sent(SOURCE_FIELD)).to.deep.equal(['orders']);
  });

  it('keep the other members of a context that the application passes on', () => {
    const call = marked({ [CONTEXT_FIELD]: '{"traceId":"7","user":{"name":"ann","roles":["a","b"]}}' });
    expect(contextOf(call)).to.deep.equal({
      traceId: '7',
      user: { name: 'ann', roles: ['a', 'b'] },
      [SOURCE_FIELD]: 'orders',
    });
  });

  it('replace the name that an application passes on, which is that of its own caller', () => {
    const call = marked({ [CONTEXT_FIELD]: `{"${SOURCE_FIELD}":"frontend"}`, [SOURCE_FIELD]: 'frontend' });
    expect(contextOf(call)).to.deep.equal({ [SOURCE_FIELD]: 'orders' });
    expect(call.sent(SOURCE_FIELD)).to.deep.equal(['orders']);
  });

  it('replace a name without a context', () => {
    const call = marked({ [SOURCE_FIELD]: 'frontend' });
    expect(call.sent(SOURCE_FIELD)).to.deep.equal(['orders']);
    expect(contextOf(call)).to.deep.equal({ [SOURCE_FIELD]: 'orders' });
  });

  for (const garbage of ['', 'nonsense', '{"a":', '[1,2]', '"text"', 'null', '7', '{"a":1}, {"b":2}', '\u00ff\u00fe']) {
    it(`replace a context that is no object: ${JSON.stringify(garbage)}`, () => {
      expect(contextOf(marked({ [CONTEXT_FIELD]: garbage }))).to.deep.equal({ [SOURCE_FIELD]: 'orders' });
    });
  }

  it('keep members beyond ASCII, in ASCII', () => {
    const call = marked({ [CONTEXT_FIELD]: onTheWire('{"city":"Łódź","mood":"🙂","del":"\u007f"}') });
    expect(contextOf(call)).to.deep.equal({ city: 'Łódź', mood: '🙂', del: '\u007f', [SOURCE_FIELD]: 'orders' });
  });

  it('keep a member named __proto__ a member', () => {
    const [context] = marked({ [CONTEXT_FIELD]: '{"__proto__":{"admin":true}}' }).sent(CONTEXT_FIELD);
    expect(context).to.contain('"__proto__":{"admin":true}');
    expect(({} as { admin?: boolean }).admin).to.equal(undefined);
  });

  it('keep every object that JSON can hold, whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (members) => {
        const text = JSON.stringify(members);
        const expected = { ...(JSON.parse(text) as object), [SOURCE_FIELD]: 'orders' };
        expect(contextOf(marked({ [CONTEXT_FIELD]: onTheWire(text) }))).to.deep.equal(expected);
      }),
    );
  });

  it('never break a field, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const context = contextOf(marked({ [CONTEXT_FIELD]: Buffer.from(bytes).toString('latin1') }));
        expect(context[SOURCE_FIELD]).to.equal('orders');
      }),
    );
  });
});

describe('the source in a context', () => {
  const cases: readonly (readonly [context: string, source: string | undefined])[] = [
    [`{"${SOURCE_FIELD}":"orders","a":1}`, 'orders'],
    ['{"a":1}', undefined],
    [`{"${SOURCE_FIELD}":""}`, undefined],
    [`{"${SOURCE_FIELD}":7}`, undefined],
    [`{"${SOURCE_FIELD}":["orders"]}`, undefined],
    [`["${SOURCE_FIELD}"]`, undefined],
    ['null', undefined],
    ['{', undefined],
    ['', undefined],
  ];
  for (const [context, source] of cases) {
    it(`${context === '' ? '(empty)' : context} is ${source ?? 'none'}`, () => {
      expect(sourceOfContext(context)).to.equal(source);
    });
  }
});

import { expect } from 'chai';
import fc from 'fast-check';
import { FakeCall } from '../../testing/fake-call.js';
import { fakePorts } from '../../testing/fake-ports.js';
import { PLAIN_RULES } from '../steady-balancing.js';
import { cookieOf } from './cookie.js';
import { HashKey, type HashSettings } from './hash-key.js';

function keyOf(settings: Partial<HashSettings>): HashKey {
  return new HashKey({ ...PLAIN_RULES.hash, ...settings }, fakePorts().random);
}

const CALL = new FakeCall({
  path: '/v1/items?user=ann&page=2&empty=&c%69ty=S%C3%A3o+Paulo',
  remoteAddress: '10.0.0.9',
  headers: { 'X-User': 'bob', cookie: 'a=1; session="s 1"; b=2' },
});

describe('what is hashed of a call', () => {
  const cases: readonly (readonly [name: string, settings: Partial<HashSettings>, text: string | undefined])[] = [
    ['a header, whatever the case of its name', { header: 'X-USER' }, 'bob'],
    ['a cookie, without its quotes', { cookie: 'session' }, 's 1'],
    ['a parameter of the query', { query: 'user' }, 'ann'],
    ['another parameter of the query', { query: 'page' }, '2'],
    ['an empty parameter', { query: 'empty' }, ''],
    ['a parameter as it is meant, however it was spelled', { query: 'city' }, 'São Paulo'],
    ['no parameter whose name only ends alike', { query: 'ser' }, undefined],
    ['the path without the query', { path: true }, '/v1/items'],
    ['the address of the caller', { source: true }, '10.0.0.9'],
    ['the first that the call has', { header: 'x-none', query: 'user', source: true }, 'ann'],
    ['nothing when it has none of it', { header: 'x-none', cookie: 'none', query: 'none' }, undefined],
  ];
  for (const [name, settings, text] of cases) {
    it(`is ${name}`, () => expect(keyOf(settings).text(CALL)).to.equal(text));
  }
});

describe('a cookie that is given to clients without one', () => {
  const key = keyOf({ cookie: 'shard', cookieTtlS: 60 });

  it('is set by the answer, lives as long as configured, and leads the next call to the same endpoint', () => {
    const call = new FakeCall();
    const hash = key.of(call);
    const [name, field = ''] = call.responseFields?.[0] ?? [];
    expect(name).to.equal('set-cookie');
    expect(field).to.match(/^shard=[0-9a-z]+; Path=\/; HttpOnly; Max-Age=60$/);
    const [pair = ''] = field.split(';');
    const next = new FakeCall({ headers: { cookie: `other=1; ${pair}` } });
    expect(key.of(next)).to.equal(hash);
    expect(next.responseFields).to.equal(undefined);
  });

  it('is one for all attempts of a call', () => {
    const call = new FakeCall();
    expect(key.of(call)).to.equal(key.of(call));
    expect(call.responseFields).to.have.lengthOf(1);
  });

  it('is none where the call knows no cookies', () => {
    const call = new FakeCall({ protocol: 'tcp' });
    key.of(call);
    expect(call.responseFields).to.equal(undefined);
  });
});

describe('reading a cookie', () => {
  const cases: readonly (readonly [field: string, value: string | undefined])[] = [
    ['id=1', '1'],
    ['a=2; id=1; c=3', '1'],
    ['a=2,id=1', '1'],
    ['a=2;id=1 ;c=3', '1'],
    ['id="1"', '1'],
    ['xid=2; id=1', '1'],
    ['id=', ''],
    ['a=id=2; id=1', '1'],
    ['xid=2', undefined],
    ['idx=2', undefined],
    ['id', undefined],
    ['', undefined],
  ];
  for (const [field, value] of cases) {
    it(`in '${field}' finds ${value === undefined ? 'none' : `'${value}'`}`, () => {
      expect(cookieOf(field, 'id')).to.equal(value);
    });
  }

  it('finds what a plain parser finds, in any list of cookies', () => {
    const name = fc.string({ unit: fc.constantFrom('i', 'd', 'x'), minLength: 1, maxLength: 3 });
    const value = fc.string({ unit: fc.constantFrom('a', '1', 'i', 'd', '='), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (pairs) => {
        const found = pairs.find(([one]) => one === 'id')?.[1];
        expect(cookieOf(pairs.map((pair) => pair.join('=')).join('; '), 'id')).to.equal(found);
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { PathTemplate } from './path-template.js';
import { pathOf, queryOf, queryParameter } from './target.js';

describe('a request target', () => {
  it('has a path and a query', () => {
    expect([pathOf('/a/b?c=d'), queryOf('/a/b?c=d')]).to.deep.equal(['/a/b', '?c=d']);
    expect([pathOf('/a'), queryOf('/a')]).to.deep.equal(['/a', '']);
  });

  it('gives the first parameter of a name, as URLSearchParams does', () => {
    const word = fc.stringMatching(/^[ab&=+%20]{0,4}$/);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, word), { maxLength: 4 }),
        fc.constantFrom('a', 'b', 'ab', ' '),
        (pairs, name) => {
          const target = `/x?${new URLSearchParams(pairs).toString()}`;
          expect(queryParameter(target, name)).to.equal(new URLSearchParams(pairs).get(name) ?? undefined);
        },
      ),
    );
  });

  it('survives what cannot be decoded', () => {
    expect(queryParameter('/x?a=%zz&b', 'a')).to.equal('%zz');
    expect(queryParameter('/x?a=%zz&b', 'b')).to.equal('');
    expect(queryParameter('/x?', 'b')).to.equal(undefined);
    expect(queryParameter('/x', 'b')).to.equal(undefined);
    expect(queryParameter('/x?%62=1', 'b')).to.equal('1');
  });
});

describe('a path template', () => {
  const cases: readonly (readonly [template: string, path: string, matches: boolean])[] = [
    ['/', '/', true],
    ['/', '/a', false],
    ['/users', '/users', true],
    ['/users', '/users/', false],
    ['/users', '/users2', false],
    ['/users/{id}', '/users/7', true],
    ['/users/{id}', '/users/', false],
    ['/users/{id}', '/users/7/8', false],
    ['/users/*/orders', '/users/7/orders', true],
    ['/users/**', '/users', true],
    ['/users/**', '/users/7/8', true],
    ['/users/**', '/users7', false],
    ['/**', '/anything', true],
    ['/users', '', false],
    ['/users', '*', false],
  ];
  for (const [template, path, matches] of cases) {
    it(`${template} ${matches ? 'matches' : 'does not match'} '${path}'`, () => {
      expect(new PathTemplate(template).matches(path)).to.equal(matches);
    });
  }
});

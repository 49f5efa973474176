import { expect } from 'chai';
import fc from 'fast-check';
import { compilePattern, MAX_PATTERN_LENGTH, PatternError } from './pattern.js';

describe('a pattern', () => {
  const cases: readonly (readonly [source: string, yes: readonly string[], no: readonly string[]])[] = [
    ['jason', ['jason', 'user=jason;'], ['Jason', '']],
    ['^/api/', ['/api/', '/api/x'], ['/v1/api/', '/api']],
    ['^/api/.*', ['/api/', '/api/x'], ['/ap']],
    ['\\.json$', ['/a.json'], ['/ajson', '/a.json?']],
    ['^v1\\.0$', ['v1.0'], ['v1x0', 'v1.00']],
    ['^(gold|silver)$', ['gold', 'silver'], ['golden', 'gold|silver', '']],
    ['^(?:a|b)$', ['a', 'b'], ['ab']],
    ['^a|b$', ['abc', 'cb'], ['cbc']],
    ['^[[:alpha:]]+-[0-9]{2}$', ['abc-12'], ['abc-1', '1-12']],
    ['cost\\$', ['cost$'], ['cost']],
    ['', ['', 'x'], []],
    ['^$', [''], ['x']],
  ];
  for (const [source, yes, no] of cases) {
    it(`${JSON.stringify(source)} finds what Go finds`, () => {
      const pattern = compilePattern(source);
      expect(yes.filter((text) => !pattern.matches(text))).to.deep.equal([]);
      expect(no.filter((text) => pattern.matches(text))).to.deep.equal([]);
    });
  }

  it('that compiles does so in any case, too', () => {
    for (const ignoreCase of [false, true]) {
      expect(() => compilePattern('\\é', ignoreCase), `ignoreCase ${ignoreCase}`).to.throw(PatternError);
      expect(compilePattern('é\\-\\_', ignoreCase).matches('é-_')).to.equal(true);
    }
  });

  it('that is only a comparison says the same as the engine of JavaScript', () => {
    const part = fc.stringMatching(/^[ab.-]{0,3}$/).map((text) => text.replace(/[.-]/g, '\\$&'));
    const source = fc.oneof(
      fc.tuple(fc.constantFrom('^', ''), part, fc.constantFrom('$', '', '.*')).map((parts) => parts.join('')),
      fc.tuple(part, part).map(([a, b]) => `^(${a}|${b})$`),
    );
    fc.assert(
      fc.property(source, fc.stringMatching(/^[ab.-]{0,5}$/), (pattern, text) => {
        expect(compilePattern(pattern).matches(text)).to.equal(new RegExp(pattern).test(text));
      }),
    );
  });

  it('can leave letter case aside', () => {
    expect(compilePattern('^GOLD$', true).matches('Gold')).to.equal(true);
    expect(compilePattern('^gold$', true).matches('GOLDEN')).to.equal(false);
  });

  it('replaces what it finds, with groups in both spellings', () => {
    expect(compilePattern('^/old/(.*)$').replace('/old/x', '/new/\\1')).to.equal('/new/x');
    expect(compilePattern('^/old/(.*)$').replace('/old/x', '/new/$1')).to.equal('/new/x');
    expect(compilePattern('/old').replace('/old/x', '/new')).to.equal('/new/x');
  });

  it('says what is wrong with it', () => {
    expect(() => compilePattern('(a')).to.throw(PatternError, 'missing closing )');
    expect(() => compilePattern('(?=a)b')).to.throw(PatternError, 'look-around');
    expect(() => compilePattern('(a)\\1')).to.throw(PatternError);
    expect(() => compilePattern('[[:nosuch:]]')).to.throw(PatternError);
    expect(() => compilePattern('x'.repeat(MAX_PATTERN_LENGTH + 1))).to.throw(PatternError, '1000 are allowed');
  });

  it('does not stall on a text of 50 KB that makes backtracking engines work for years', () => {
    // Each of these takes 2^50000 steps with backtracking: that the test ends at all is the proof.
    for (const source of ['^(a+)+$', '(a|a)*b', '(.*)*=', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a?){40}a{40}$']) {
      const pattern = compilePattern(source);
      expect(pattern.matches(`${'a'.repeat(50_000)}!`), source).to.equal(false);
    }
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { comparisonProblem, ValueMatcher, type Operators } from './value-matcher.js';

/** What the operators mean, written down without a thought for speed. */
function oracle(operators: Operators, found: string | undefined): boolean {
  const fold = (text: string): string => (operators.caseInsensitive === true ? text.toLowerCase() : text);
  const names = (Object.keys(operators) as (keyof Operators)[]).filter((name) => name !== 'caseInsensitive');
  if (found === undefined)
    return (
      names.length > 0 &&
      names.every(
        (name) => (name === 'noEqu' && operators.noEqu !== '') || (name === 'exists' && operators.exists === false),
      )
    );
  const value = fold(found);
  const number = /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  return names.every((name) => {
    const wanted = operators[name];
    const text = fold(String(wanted));
    switch (name) {
      case 'exact':
        return value === text;
      case 'noEqu':
        return value !== text;
      case 'contains':
        return value.split(text).length > 1 || text === '';
      case 'prefix':
        return value.slice(0, text.length) === text;
      case 'suffix':
        return text === '' || value.slice(-text.length) === text;
      case 'regex':
        return new RegExp(String(wanted), operators.caseInsensitive === true ? 'i' : '').test(value);
      case 'less':
        return number < Number(wanted);
      case 'noLess':
        return number >= Number(wanted);
      case 'greater':
        return number > Number(wanted);
      case 'noGreater':
        return number <= Number(wanted);
      case 'exists':
        return wanted === true;
      default:
        throw new Error(`the oracle does not know ${name}`);
    }
  });
}

describe('a value matcher', () => {
  it('says what a naive reading of its operators says', () => {
    const text = fc.stringMatching(/^[abAB1]{0,3}$/);
    const number = fc.integer({ min: -2, max: 12 });
    const operators = fc.record(
      {
        ...{ exact: text, noEqu: text, contains: text, prefix: text, suffix: text },
        regex: fc.constantFrom('a', '^a', 'b$', '^(a|b)$', '[ab]+1', 'A.'),
        ...{ less: number, noLess: number, greater: number, noGreater: number },
        exists: fc.boolean(),
        caseInsensitive: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    // One or two operators: of many at once hardly a value is right for all.
    const few = fc.tuple(operators, fc.integer({ min: 0, max: 2 })).map(([all, count]): Operators => {
      const { caseInsensitive, ...rest } = all;
      const entries = Object.entries(rest).slice(0, count);
      return { ...Object.fromEntries(entries), ...(caseInsensitive === undefined ? {} : { caseInsensitive }) };
    });
    const value = fc.oneof(
      fc.constant(undefined),
      text,
      number.map(String),
      fc.constantFrom('1.5', '-1', '0x1', ' 1', '1e1'),
    );
    fc.assert(
      fc.property(few, value, (ops, found) => {
        expect(new ValueMatcher(ops).matches(found)).to.equal(oracle(ops, found));
      }),
      { numRuns: 1000 },
    );
  });

  it('without operators wants the value to be there', () => {
    expect(new ValueMatcher({}).matches('')).to.equal(true);
    expect(new ValueMatcher({}).matches(undefined)).to.equal(false);
  });

  const comparisons: readonly (readonly [compare: string, value: string, holds: boolean])[] = [
    ['>=10', '10', true],
    ['> 10', '10', false],
    ['<10', '9.5', true],
    ['<=10', '10', true],
    ['=10', '10.0', true],
    ['==10', '9', false],
    ['!=10', '9', true],
    ['!10', '10', false],
    ['!=10', 'ten', false],
  ];
  for (const [compare, value, holds] of comparisons) {
    it(`compares as java-chassis does: ${value} ${compare} is ${holds}`, () => {
      expect(new ValueMatcher({ compare }).matches(value)).to.equal(holds);
    });
  }

  it('knows a comparison that is none', () => {
    expect(comparisonProblem('10')).to.contain("found '10'");
    expect(comparisonProblem('>=10')).to.equal(undefined);
  });

  it('describes itself', () => {
    expect(String(new ValueMatcher({ prefix: 'a', noEqu: 'ab', caseInsensitive: true }))).to.equal(
      "prefix 'a' and noEqu 'ab' (in any case)",
    );
    expect(String(new ValueMatcher({}))).to.equal('any value');
  });
});

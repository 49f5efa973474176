import { expect } from 'chai';
import { parsePrometheusText } from './prometheus-text.js';

const HEAD = '# HELP a_total What it is.\n# TYPE a_total counter\n';

describe('parsePrometheusText', () => {
  it('reads names, labels with escapes and values', () => {
    const page = parsePrometheusText(`${HEAD}a_total{x="a\\"b\\\\n\\nc",y=""} 1.5e3\n`);
    const sample = page.get('a_total')?.samples[0];
    expect(sample?.value).to.equal(1500);
    expect([...(sample?.labels ?? [])]).to.deep.equal([
      ['x', 'a"b\\n\nc'],
      ['y', ''],
    ]);
  });

  const broken: readonly (readonly [rule: string, text: string])[] = [
    ['the page does not end with a newline', `${HEAD}a_total 1`],
    ['a family occurs twice', `${HEAD}a_total 1\n${HEAD}a_total 2\n`],
    ['a series occurs twice', `${HEAD}a_total{x="1"} 1\na_total{x="1"} 1\n`],
    ['a sample outside of its family', `${HEAD}b_total 1\n`],
    ['a sample outside of its family', `${HEAD}a_total_count 1\n`],
    ['bad label', `${HEAD}a_total{x="1" } 1\n`],
    ['bad label', `${HEAD}a_total{x="a\\t"} 1\n`],
    ['bad label', `${HEAD}a_total{x="1",} 1\n`],
    ['a label occurs twice', `${HEAD}a_total{x="1",x="2"} 1\n`],
    ['bad value', `${HEAD}a_total undefined\n`],
    ['bad value', `${HEAD}a_total{x="1"}1\n`],
    ['unknown type', '# HELP a A.\n# TYPE a thing\n'],
    ['TYPE does not follow', '# TYPE a counter\na 1\n'],
    ['bad metric name', '# HELP a-b A.\n'],
  ];
  for (const [rule, text] of broken) {
    it(`refuses ${JSON.stringify(text.replace(HEAD, ''))}: ${rule}`, () => {
      expect(() => parsePrometheusText(text)).to.throw(rule);
    });
  }
});

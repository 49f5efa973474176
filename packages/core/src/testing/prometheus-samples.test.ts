import { expect } from 'chai';
import { checkHistograms, findSamples, sampleValue } from './prometheus-samples.js';
import { parsePrometheusText } from './prometheus-text.js';

function histogram(lines: readonly string[]) {
  return parsePrometheusText(`# HELP h H.\n# TYPE h histogram\n${lines.join('\n')}\n`).get('h');
}

const GOOD = ['h_bucket{le="0.5"} 1', 'h_bucket{le="+Inf"} 2', 'h_sum 3', 'h_count 2'];

describe('checkHistograms', () => {
  it('counts histograms that are right', () => {
    expect(checkHistograms(histogram(GOOD))).to.equal(1);
    expect(
      checkHistograms(histogram([...GOOD, 'h_bucket{x="1",le="+Inf"} 0', 'h_sum{x="1"} 0', 'h_count{x="1"} 0'])),
    ).to.equal(2);
  });

  const broken: readonly (readonly [rule: string, lines: readonly string[]])[] = [
    ['not cumulative', ['h_bucket{le="0.5"} 3', ...GOOD.slice(1)]],
    ['not +Inf', GOOD.filter((line) => !line.includes('+Inf'))],
    ['do not rise', ['h_bucket{le="0.7"} 0', ...GOOD]],
    ['_count', [...GOOD.slice(0, 3), 'h_count 1']],
    ['_count', GOOD.slice(0, 3)],
    ['_sum', GOOD.filter((line) => !line.startsWith('h_sum'))],
  ];
  for (const [index, [rule, lines]] of broken.entries()) {
    it(`refuses a histogram that breaks a rule: ${rule} (${index})`, () => {
      expect(() => checkHistograms(histogram(lines))).to.throw(rule);
    });
  }
});

describe('sampleValue', () => {
  it('finds a sample by name and labels and refuses an ambiguous question', () => {
    const family = histogram(GOOD);
    expect(sampleValue(family, { le: '0.5' }, 'h_bucket')).to.equal(1);
    expect(sampleValue(family, {}, 'h_sum')).to.equal(3);
    expect(sampleValue(family, { le: '9' }, 'h_bucket')).to.equal(undefined);
    expect(findSamples(family, {}, 'h_bucket').length).to.equal(2);
    expect(() => sampleValue(family, {}, 'h_bucket')).to.throw('2 samples');
  });
});

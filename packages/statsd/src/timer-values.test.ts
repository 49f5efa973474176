import { expect } from 'chai';
import { timerValues } from './timer-values.js';

describe('values that stand for those of a histogram', () => {
  const bounds = [1, 2.5, 5, Infinity];
  const sumOf = (values: readonly { value: number; count: number }[]): number =>
    values.reduce((sum, { value, count }) => sum + value * count, 0);

  it('have the true sum, and lie in their buckets', () => {
    const values = timerValues(bounds, [4, 0, 2, 0], 10);
    expect(values.map(({ count }) => count)).to.deep.equal([4, 2]);
    expect(sumOf(values)).to.be.closeTo(10, 1e-9);
    expect(values[0]?.value).to.be.within(0, 1);
    expect(values[1]?.value).to.be.within(2.5, 5);
  });

  it('are the mean where there is one bucket', () => {
    expect(timerValues(bounds, [0, 3, 0, 0], 6)).to.deep.equal([{ value: 2, count: 3 }]);
  });

  it('give what is left of the sum to values beyond the last bound', () => {
    const values = timerValues(bounds, [2, 0, 0, 2], 101);
    expect(values).to.deep.equal([
      { value: 0.5, count: 2 },
      { value: 50, count: 2 },
    ]);
  });

  it('stay in their buckets when the sum says something impossible', () => {
    expect(timerValues(bounds, [1, 0, 0, 0], 400)).to.deep.equal([{ value: 1, count: 1 }]);
    expect(timerValues(bounds, [0, 0, 1, 0], 0)).to.deep.equal([{ value: 2.5, count: 1 }]);
    expect(timerValues(bounds, [0, 0, 0, 1], 0)).to.deep.equal([{ value: 5, count: 1 }]);
  });
});

import { expect } from 'chai';
import { Results } from './results.js';
import { least, median } from './statistics.js';

describe('median', () => {
  it('is the middle of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).to.equal(5);
  });

  it('is the mean of the two middle values of an even number', () => {
    expect(median([10, 2, 4, 100])).to.equal(7);
  });

  it('sorts by size and not as text', () => {
    expect(median([100, 9, 20])).to.equal(20);
  });

  it('is undefined for nothing', () => {
    expect(median([])).to.equal(undefined);
    expect(least([])).to.equal(undefined);
  });
});

describe('Results', () => {
  it('counts no value of an invalid sample', () => {
    const results = new Results();
    results.add('row', 'a', { values: { cpuMicros: 10 } });
    results.add('row', 'a', { values: { cpuMicros: 1 }, fault: '3 read errors' });
    expect(results.values('row', 'a', 'cpuMicros')).to.deep.equal([10]);
    expect(results.median('row', 'a', 'cpuMicros')).to.equal(10);
    expect(results.faults('row', 'a')).to.deep.equal(['3 read errors']);
  });

  it('takes a ratio of medians, and none where either side is missing or 0', () => {
    const results = new Results();
    for (const cpuMicros of [30, 10, 20]) results.add('row', 'a', { values: { cpuMicros } });
    results.add('row', 'b', { values: { cpuMicros: 10 } });
    results.add('row', 'free', { values: { cpuMicros: 0 } });
    expect(results.ratio('row', 'a', 'b', 'cpuMicros')).to.equal(2);
    expect(results.ratio('row', 'a', 'c', 'cpuMicros')).to.equal(undefined);
    expect(results.ratio('row', 'a', 'free', 'cpuMicros')).to.equal(undefined);
  });

  it('finds the greatest value over several rows', () => {
    const results = new Results();
    results.add('one', 'a', { values: { residentMb: 50 } });
    results.add('two', 'a', { values: { residentMb: 61 } });
    results.add('three', 'a', { values: { residentMb: 99 } });
    expect(results.greatest(['one', 'two'], 'a', 'residentMb')).to.equal(61);
  });
});

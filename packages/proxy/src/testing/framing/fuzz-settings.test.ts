import { expect } from 'chai';
import { fuzzSettings } from './fuzz-settings.js';

describe('settings of fuzz tests', () => {
  it('repeat themselves unless asked otherwise, within a bound of time', () => {
    expect(fuzzSettings(100, {})).to.deep.equal(fuzzSettings(100, {}));
    expect(fuzzSettings(100, {})).to.include({ runs: 100 });
    expect(fuzzSettings(100, {}).timeLimit).to.be.a('number');
  });

  it('take another seed with each longer run, and name it', () => {
    const first = fuzzSettings(100, { MESHER_FUZZ_RUNS: '500' });
    const second = fuzzSettings(100, { MESHER_FUZZ_RUNS: '500' });
    expect(first).to.include({ runs: 500, timeLimit: undefined });
    expect(first.title).to.equal(`seed ${first.seed}, 500 runs`);
    expect(first.seed).not.to.equal(second.seed);
  });

  it('repeat a seed that is given', () => {
    expect(fuzzSettings(100, { MESHER_FUZZ_SEED: '7' })).to.include({ seed: 7, runs: 100 });
    expect(fuzzSettings(100, { MESHER_FUZZ_SEED: '7', MESHER_FUZZ_RUNS: '9' })).to.include({ seed: 7, runs: 9 });
  });

  it('refuse what is no number', () => {
    expect(() => fuzzSettings(100, { MESHER_FUZZ_RUNS: 'many' })).to.throw('MESHER_FUZZ_RUNS');
    expect(() => fuzzSettings(100, { MESHER_FUZZ_RUNS: '0' })).to.throw('MESHER_FUZZ_RUNS');
    expect(() => fuzzSettings(100, { MESHER_FUZZ_SEED: 'x' })).to.throw('MESHER_FUZZ_SEED');
  });
});

import { expect } from 'chai';
import { skipBecause } from './skip-because.js';

describe('skipBecause', () => {
  it('leaves the reason on the running test before it skips it', () => {
    const runnable = {};
    const skipped = new Error('skipped');
    const context = {
      runnable: () => runnable,
      skip: (): never => {
        expect(runnable).to.deep.equal({ skipReason: 'needs root' });
        throw skipped;
      },
    };
    expect(() => skipBecause(context, 'needs root')).to.throw(skipped);
  });
});

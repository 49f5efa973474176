import { expect } from 'chai';
import { StreamIds } from './stream-ids.js';

describe('the ids of streams that we open', () => {
  it('are odd and grow', () => {
    const ids = new StreamIds();
    expect([ids.next(), ids.next(), ids.next()]).to.deep.equal([1, 3, 5]);
  });

  it('are idle until they are given out, and even ones for ever', () => {
    const ids = new StreamIds();
    ids.next();
    expect([1, 2, 3, 4].map((id) => ids.isIdle(id))).to.deep.equal([false, true, true, true]);
  });

  it('are used up after 2^31-1', () => {
    const ids = new StreamIds(2 ** 31 - 3);
    ids.next();
    expect(ids.isUsedUp).to.equal(false);
    expect(ids.next()).to.equal(2 ** 31 - 1);
    expect(ids.isUsedUp).to.equal(true);
  });
});

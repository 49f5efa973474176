import { expect } from 'chai';
import { MAX_REASONS, ReasonCounts } from './reason-counts.js';

describe('ReasonCounts', () => {
  it('counts reasons apart up to its cap, and the others as other', () => {
    const reasons = new ReasonCounts();
    for (let index = 0; index < MAX_REASONS + 5; index++) reasons.count(`reason-${index}`);
    reasons.count('reason-0');
    const counts = new Map(reasons);
    expect(counts.size).to.equal(MAX_REASONS + 1);
    expect(counts.get('other')).to.equal(5);
    expect(counts.get('reason-0')).to.equal(2);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import {
  DURATION_BUCKETS_MS,
  DURATION_BUCKETS_SECONDS,
  DURATION_BUCKET_COUNT,
  durationBucket,
} from './duration-buckets.js';

describe('the duration buckets', () => {
  it('rise from 0.5 ms to 60 s', () => {
    expect(DURATION_BUCKETS_SECONDS.at(0)).to.equal(0.0005);
    expect(DURATION_BUCKETS_SECONDS.at(-1)).to.equal(60);
    expect([...DURATION_BUCKETS_SECONDS]).to.deep.equal([...DURATION_BUCKETS_SECONDS].sort((a, b) => a - b));
  });

  it('include their upper bound', () => {
    for (const [index, bound] of DURATION_BUCKETS_MS.entries()) {
      expect(durationBucket(bound)).to.equal(index);
      expect(durationBucket(bound + 1e-6)).to.equal(index + 1);
    }
  });

  it('answer as a search from the start does', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 200_000, noNaN: true }), (ms) => {
        const first = DURATION_BUCKETS_MS.findIndex((bound) => ms <= bound);
        expect(durationBucket(ms)).to.equal(first === -1 ? DURATION_BUCKET_COUNT - 1 : first);
      }),
    );
  });

  it('put what is not a number into +Inf', () => {
    expect(durationBucket(Number.NaN)).to.equal(DURATION_BUCKET_COUNT - 1);
    expect(durationBucket(Number.POSITIVE_INFINITY)).to.equal(DURATION_BUCKET_COUNT - 1);
  });
});

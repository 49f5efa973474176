import { expect } from 'chai';
import fc from 'fast-check';
import { TokenBucket, defaultBurst } from './token-bucket.js';

const rates = fc.double({ min: 0.1, max: 5000, noNaN: true });
const bursts = fc.integer({ min: 1, max: 500 });
const gaps = fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('TokenBucket', () => {
  it('never lets more than burst + rate * t through in any stretch of time', () => {
    fc.assert(
      fc.property(rates, bursts, gaps, (rate, burst, waits) => {
        const bucket = new TokenBucket(rate, burst, 0);
        const passed: number[] = [];
        let now = 0;
        for (const wait of waits) {
          now += wait;
          // More than the bucket holds, so that it is empty at the end of each moment.
          for (let call = 0; call < 5; call++) if (bucket.take(now)) passed.push(now);
        }
        for (let first = 0; first < passed.length; first++) {
          for (let last = first; last < passed.length; last++) {
            const seconds = ((passed[last] as number) - (passed[first] as number)) / 1000;
            if (last - first + 1 > burst + rate * seconds + 1e-6) return false;
          }
        }
        return true;
      }),
      { numRuns: 60 },
    );
  });

  it('never starves a caller: who waits as long as it says gets through', () => {
    fc.assert(
      fc.property(rates, bursts, gaps, (rate, burst, waits) => {
        const bucket = new TokenBucket(rate, burst, 0);
        let now = 0;
        for (const wait of waits) {
          now += wait / 10;
          if (bucket.take(now)) continue;
          now += bucket.waitFor(1, now);
          if (!bucket.take(now)) return false;
        }
        return true;
      }),
      { numRuns: 100 },
    );
  });

  it('lets the whole burst through at once after a pause, and one call per 1/rate seconds after that', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([0, 0, 0, 0].map((at) => bucket.take(at))).to.deep.equal([true, true, true, false]);
    expect(bucket.waitFor(1, 0)).to.equal(100);
    expect([99, 100, 150, 200].map((at) => bucket.take(at))).to.deep.equal([false, true, false, true]);
    expect([0, 0, 0, 0].map(() => bucket.take(10_000))).to.deep.equal([true, true, true, false]);
  });

  it('lets nothing through at a rate of 0 or less, however long one waits', () => {
    for (const rate of [0, -5]) {
      const bucket = new TokenBucket(rate, 10, 0);
      expect(bucket.take(1e9)).to.equal(false);
      expect(bucket.waitFor(1, 0)).to.equal(Infinity);
      expect(bucket.level(1e9)).to.equal(0);
    }
  });

  it('does not fill twice when times come out of order', () => {
    const bucket = new TokenBucket(1, 2, 0);
    expect([1000, 1000, 1000].map((at) => bucket.take(at))).to.deep.equal([true, true, false]);
    expect([0, 500, 1000, 1999].map((at) => bucket.take(at))).to.deep.equal([false, false, false, false]);
    expect(bucket.take(2000)).to.equal(true);
  });

  it('keeps its fill in proportion when rate and burst change', () => {
    const bucket = new TokenBucket(100, 20, 0);
    for (let i = 0; i < 15; i++) bucket.take(0);
    bucket.adjust(400, 80, 0);
    expect(bucket.level(0)).to.equal(20);
    bucket.adjust(400, 80, 50);
    expect(bucket.level(50)).to.equal(40);
  });

  it('is full again exactly when what was taken has come back', () => {
    const bucket = new TokenBucket(10, 5, 0);
    bucket.take(0);
    expect([bucket.isFull(99), bucket.isFull(100)]).to.deep.equal([false, true]);
  });

  it('changes nothing when it is only looked at', () => {
    const bucket = new TokenBucket(10, 1, 0);
    expect([bucket.level(0), bucket.level(0), bucket.waitFor(1, 0)]).to.deep.equal([1, 1, 0]);
    expect(bucket.take(0)).to.equal(true);
  });
});

describe('the burst of a limit that names none', () => {
  it('is a fifth of the rate, or 10 when that is none', () => {
    expect([100, 5, 9, 4, 1, 0, -3, 0.5].map(defaultBurst)).to.deep.equal([20, 1, 1, 10, 10, 10, 10, 10]);
  });
});

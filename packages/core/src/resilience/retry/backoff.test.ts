import { expect } from 'chai';
import fc from 'fast-check';
import type { BackoffKind } from '../../config/sections/retry.js';
import { SeededRandom } from '../../testing/fake-ports.js';
import { Backoff } from './backoff.js';

const LOWEST = { next: () => 0 };
const HIGHEST = { next: () => 1 - Number.EPSILON };

function waits(kind: BackoffKind, minMs: number, maxMs: number, random = HIGHEST): number[] {
  const backoff = new Backoff({ kind, minMs, maxMs }, 0);
  return [1, 2, 3, 4, 5].map((retry) => Math.round(backoff.delay(retry, random)));
}

describe('the wait before another attempt', () => {
  it('is none for zero, whatever the bounds say', () => {
    expect(waits('zero', 100, 1_000)).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('is always minMs for constant', () => {
    expect(waits('constant', 200, 400)).to.deep.equal([200, 200, 200, 200, 200]);
  });

  it('grows by half of itself for exponential, give or take half, and never beyond maxMs', () => {
    expect(waits('exponential', 100, 300)).to.deep.equal([150, 225, 300, 300, 300]);
    expect(waits('exponential', 100, 300, LOWEST)).to.deep.equal([50, 75, 113, 150, 150]);
  });

  it('is drawn between minMs and a bound that doubles for jittered, up to maxMs', () => {
    expect(waits('jittered', 100, 1_000)).to.deep.equal([200, 400, 800, 1_000, 1_000]);
    expect(waits('jittered', 100, 1_000, LOWEST)).to.deep.equal([100, 100, 100, 100, 100]);
  });

  it('stays within its bounds for every kind, after any number of attempts', () => {
    const kinds = fc.constantFrom<BackoffKind>('zero', 'constant', 'jittered', 'exponential');
    const bound = fc.integer({ min: 0, max: 60_000 });
    fc.assert(
      fc.property(kinds, bound, bound, fc.integer({ min: 1, max: 10_000 }), fc.nat(), (kind, a, b, retry, seed) => {
        const [minMs, maxMs] = [Math.min(a, b), Math.max(a, b)];
        const wait = new Backoff({ kind, minMs, maxMs }, 0).delay(retry, new SeededRandom(seed));
        expect(wait).to.be.at.most(maxMs);
        expect(wait).to.be.at.least(kind === 'zero' ? 0 : kind === 'exponential' ? minMs / 2 : minMs);
      }),
    );
  });

  it('is never less than minMs where maxMs is: a bound that was forgotten does not turn waits off', () => {
    expect(waits('jittered', 100, 0, LOWEST)).to.deep.equal([100, 100, 100, 100, 100]);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { CountWindow, TimeWindow } from './breaker-window.js';

interface Counted {
  readonly at: number;
  readonly failed: boolean;
  readonly slow: boolean;
}

const CALLS = fc.array(
  fc.record({ pause: fc.integer({ min: 0, max: 400 }), failed: fc.boolean(), slow: fc.boolean() }),
  { maxLength: 200 },
);

function totals(kept: readonly Counted[]) {
  return {
    calls: kept.length,
    failures: kept.filter(({ failed }) => failed).length,
    slow: kept.filter(({ slow }) => slow).length,
  };
}

describe('a window of time', () => {
  it('counts exactly the calls of its buckets, after any sequence of calls and pauses', () => {
    fc.assert(
      fc.property(CALLS, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 5000 }), (calls, buckets, rest) => {
        const window = new TimeWindow(100 * buckets, buckets);
        const all: Counted[] = [];
        let now = 12_345;
        for (const { pause, failed, slow } of calls) {
          now += pause;
          window.count(failed, slow, now);
          all.push({ at: now, failed, slow });
        }
        now += rest;
        window.rotate(now);
        const oldest = Math.floor(now / 100) - buckets;
        const { calls: count, failures, slow } = window;
        expect({ calls: count, failures, slow }).to.deep.equal(
          totals(all.filter(({ at }) => Math.floor(at / 100) > oldest)),
        );
      }),
    );
  });

  it('takes a call that ended before the latest one for one of now', () => {
    const window = new TimeWindow(1000, 10);
    window.count(true, false, 5000);
    window.count(true, false, 10);
    expect(window).to.include({ calls: 2, failures: 2 });
    window.rotate(5_899);
    expect(window.calls).to.equal(2);
    window.rotate(6_000);
    expect(window.calls).to.equal(0);
  });
});

describe('a window of calls', () => {
  it('counts exactly the last ones', () => {
    fc.assert(
      fc.property(CALLS, fc.integer({ min: 1, max: 20 }), (calls, size) => {
        const window = new CountWindow(size);
        for (const { failed, slow } of calls) window.count(failed, slow);
        const { calls: count, failures, slow } = window;
        const kept = calls.slice(-size).map((call) => ({ ...call, at: 0 }));
        expect({ calls: count, failures, slow }).to.deep.equal(totals(kept));
      }),
    );
  });

  it('begins anew', () => {
    const window = new CountWindow(2);
    window.count(true, true);
    window.clear();
    window.count(false, false);
    expect(window).to.include({ calls: 1, failures: 0, slow: 0 });
  });
});

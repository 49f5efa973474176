import { expect } from 'chai';
import fc from 'fast-check';
import { BUDGET_WINDOW_SECONDS, RetryBudget } from './retry-budget.js';

function taken(budget: RetryBudget, now: number, wanted: number): number {
  let count = 0;
  for (let i = 0; i < wanted; i++) if (budget.take(now)) count++;
  return count;
}

describe('a retry budget', () => {
  it('allows 20 % of the calls of the last ten seconds', () => {
    const budget = new RetryBudget({ percent: 20, minPerSecond: 0 });
    for (let i = 0; i < 1_000; i++) budget.request(i * 10);
    expect(taken(budget, 9_990, 1_000)).to.equal(200);
  });

  it('allows its floor to a service that is hardly called', () => {
    const budget = new RetryBudget({ percent: 20, minPerSecond: 10 });
    budget.request(0);
    expect(taken(budget, 0, 1_000)).to.equal(10 * BUDGET_WINDOW_SECONDS);
  });

  it('takes the larger of both, not their sum', () => {
    const budget = new RetryBudget({ percent: 50, minPerSecond: 1 });
    for (let i = 0; i < 100; i++) budget.request(0);
    expect(taken(budget, 0, 1_000)).to.equal(50);
  });

  it('forgets calls and repetitions after ten seconds', () => {
    const budget = new RetryBudget({ percent: 100, minPerSecond: 0 });
    for (let i = 0; i < 5; i++) budget.request(500);
    expect(taken(budget, 500, 10)).to.equal(5);
    budget.request(9_900);
    expect(taken(budget, 9_900, 10)).to.equal(1);
    expect(budget.available(10_000)).to.equal(0);
    budget.request(12_000);
    expect(taken(budget, 12_000, 10)).to.equal(1);
    expect(budget.available(1e9)).to.equal(0);
  });

  it('allows nothing when it is set to nothing', () => {
    const budget = new RetryBudget({ percent: 0, minPerSecond: 0 });
    budget.request(0);
    expect(budget.take(0)).to.equal(false);
  });

  it('counts a call that began earlier, and is told of late, for the present', () => {
    const budget = new RetryBudget({ percent: 100, minPerSecond: 0 });
    budget.request(50_000);
    budget.request(20_000);
    expect(taken(budget, 50_000, 10)).to.equal(2);
  });

  it('never allows more in any window than its share of the calls in it, or its floor', () => {
    const event = fc.record({ wait: fc.integer({ min: 0, max: 4_000 }), isCall: fc.boolean() });
    const percent = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 300 }),
        percent,
        fc.integer({ min: 0, max: 3 }),
        (events, share, floor) => {
          const budget = new RetryBudget({ percent: share, minPerSecond: floor });
          const calls: number[] = [];
          const repeats: number[] = [];
          let now = 0;
          for (const { wait, isCall } of events) {
            now += wait;
            // Slots are whole seconds: what counts is what began in the last ten of them.
            const since = (Math.floor(now / 1_000) - BUDGET_WINDOW_SECONDS + 1) * 1_000;
            if (isCall) {
              calls.push(now);
              budget.request(now);
            } else if (budget.take(now)) repeats.push(now);
            const within = (times: readonly number[]): number => times.filter((time) => time >= since).length;
            const bound = Math.max(floor * BUDGET_WINDOW_SECONDS, (share / 100) * within(calls));
            if (!isCall && repeats.at(-1) === now) expect(within(repeats)).to.be.at.most(bound);
          }
        },
      ),
    );
  });
});

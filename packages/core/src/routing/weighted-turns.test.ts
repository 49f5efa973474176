import { expect } from 'chai';
import fc from 'fast-check';
import { WeightedTurns } from './weighted-turns.js';

function take(turns: WeightedTurns, count: number): number[] {
  return Array.from({ length: count }, () => turns.next());
}

describe('weighted turns', () => {
  it('are spread evenly: 80 to 20 is every fifth call', () => {
    expect(take(new WeightedTurns([80, 20]), 10).join('')).to.equal('0010000100');
  });

  it('never differ from the exact share by a whole turn, at any moment', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 }).filter((list) => list.some(Boolean)),
        fc.integer({ min: 1, max: 2000 }),
        (weights, count) => {
          const turns = new WeightedTurns(weights);
          const sum = weights.reduce((a, b) => a + b);
          const given = weights.map(() => 0);
          let worst = 0;
          for (let n = 1; n <= count; n++) {
            const index = turns.next();
            given[index] = (given[index] ?? 0) + 1;
            for (const [i, weight] of weights.entries()) {
              worst = Math.max(worst, Math.abs((given[i] ?? 0) - (n * weight) / sum));
            }
          }
          expect(worst).to.be.below(1);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never go to a weight of 0', () => {
    expect(take(new WeightedTurns([0, 3, 0]), 5)).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('go on where a predecessor stopped, and show the next one without taking it', () => {
    const first = new WeightedTurns([1, 1, 1]);
    take(first, 4);
    const second = new WeightedTurns([1, 1, 1], first.position);
    expect(second.peek()).to.equal(first.peek());
    expect(take(second, 6)).to.deep.equal(take(first, 6));
  });
});

import { expect } from 'chai';
import { systemPorts } from '../ports/system.js';
import { atOnce, inSlices, nextTurn, type Steps } from './slices.js';

function* counting(steps: number, seen: number[]): Steps<string> {
  for (let step = 0; step < steps; step++) {
    seen.push(step);
    yield;
  }
  return 'done';
}

describe('work in slices', () => {
  it('gives others a turn after each step', async () => {
    const seen: number[] = [];
    const turns: number[] = [];
    const turn = (): Promise<void> => {
      turns.push(seen.length);
      return Promise.resolve();
    };
    expect(await inSlices(counting(3, seen), turn)).to.equal('done');
    expect(turns).to.deep.equal([1, 2, 3]);
  });

  it('lets timers and answers that wait go first', async () => {
    const order: string[] = [];
    const timer = new Promise<void>((resolve) => {
      systemPorts().timers.after(0, () => {
        order.push('timer');
        resolve();
      });
    });
    await inSlices(counting(1, []), async () => {
      await timer;
      await nextTurn();
      order.push('next step');
    });
    expect(order).to.deep.equal(['timer', 'next step']);
  });

  it('can be done at once', () => {
    const seen: number[] = [];
    expect(atOnce(counting(3, seen))).to.equal('done');
    expect(seen).to.deep.equal([0, 1, 2]);
  });

  it('passes on what the work throws', async () => {
    function* failing(): Steps<void> {
      throw new Error('broken');
    }
    let failure: unknown;
    await inSlices(failing()).catch((error: unknown) => (failure = error));
    expect(failure).to.have.property('message', 'broken');
  });
});

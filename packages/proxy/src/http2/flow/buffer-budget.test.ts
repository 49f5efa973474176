import { expect } from 'chai';
import type { TurnTask } from '../frames/output-pool.js';
import { BufferBudget, type BudgetHolder } from './buffer-budget.js';

/** Calls of one connection, which may be given up. */
class Calls implements BudgetHolder {
  constructor(
    private readonly budget: BufferBudget,
    readonly waiting: number[],
  ) {
    budget.hold(this);
    budget.add(this.waitingBytes);
  }

  get waitingBytes(): number {
    return this.waiting.reduce((sum, bytes) => sum + bytes, 0);
  }

  giveUpHeaviest(): void {
    this.waiting.sort((a, b) => a - b);
    this.budget.add(-(this.waiting.pop() ?? 0));
  }
}

describe('the budget of what waits for all HTTP/2 calls', () => {
  function budgetOf(max: number): { budget: BufferBudget; tasks: TurnTask[] } {
    const tasks: TurnTask[] = [];
    return {
      budget: new BufferBudget(
        () => max,
        (task) => tasks.push(task),
      ),
      tasks,
    };
  }

  it('takes calls from whom most waits for, once a turn, until a quarter of it is free', () => {
    const { budget, tasks } = budgetOf(1000);
    const small = new Calls(budget, [50, 50]);
    const large = new Calls(budget, [100, 300, 200]);
    const middle = new Calls(budget, [250]);
    expect(tasks).to.have.lengthOf(0);
    budget.add(50);
    budget.add(1);
    expect(tasks).to.deep.equal([budget]);
    budget.onTurnEnd();
    expect([small.waiting, large.waiting, middle.waiting]).to.deep.equal([[50, 50], [100, 200], [250]]);
    expect(budget.bytes).to.equal(701);
    budget.add(299);
    expect(tasks, 'full again').to.have.lengthOf(2);
  });

  it('does not spin when nobody can give anything up', () => {
    const { budget } = budgetOf(1000);
    const gone = new Calls(budget, []);
    budget.add(2000);
    budget.onTurnEnd();
    budget.release(gone);
    budget.onTurnEnd();
    expect([budget.bytes, budget.isFull]).to.deep.equal([2000, true]);
  });
});

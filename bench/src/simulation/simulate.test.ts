import { expect } from 'chai';
import {
  CONTENDERS,
  COLD,
  FAILING,
  SLOW,
  UNEQUAL,
  WEIGHTED,
  withEjection,
  withSlowStart,
  type Contender,
} from './scenarios.js';
import { simulate, type Scenario } from './simulate.js';
import { p99BySecond, summarize, type Summary } from './summary.js';

const SEED = 7;

function contender(name: string): Contender {
  return CONTENDERS.find((one) => one.name === name) as Contender;
}

function run(scenario: Scenario, name: string, durationMs = 30_000): Summary {
  const { settings } = contender(name);
  return summarize(simulate({ ...scenario, durationMs }, settings, SEED), scenario.watched);
}

describe('the simulation', () => {
  it('is the same for the same seed, and another for another', () => {
    const short = { ...SLOW, durationMs: 8000 };
    const { settings } = contender('PeakEWMA');
    expect(simulate(short, settings, 1)).to.deep.equal(simulate(short, settings, 1));
    expect(simulate(short, settings, 1)).to.not.deep.equal(simulate(short, settings, 2));
  });

  it('shows that strategies which look at load or latency keep calls from a slow backend', () => {
    const blind = run(SLOW, 'RoundRobin');
    expect(blind.toWatched).to.be.closeTo(0.1, 0.01);
    for (const [name, share] of [
      ['LeastRequest', 0.08],
      ['WeightedResponse', 0.04],
      ['PeakEWMA', 0.02],
    ] as const) {
      const seeing = run(SLOW, name);
      expect(seeing.toWatched, name).to.be.below(share);
      expect(seeing.p99Ms, name).to.be.below(blind.p99Ms * 0.9);
    }
  });

  it('shows that strategies which look at load alone run to a backend that fails at once, and that ejection ends it', () => {
    const least = run(FAILING, 'LeastRequest');
    expect(least.failed).to.be.above(run(FAILING, 'RoundRobin').failed);
    expect(run(FAILING, 'PeakEWMA').failed).to.be.below(0.01);
    const { settings } = withEjection(contender('LeastRequest'));
    const ejecting = summarize(simulate({ ...FAILING, durationMs: 30_000 }, settings, SEED), FAILING.watched);
    expect(ejecting.failed).to.be.below(least.failed / 20);
  });

  it('shows that slow start spares a cold backend the rush', () => {
    const worst = ({ settings }: Contender): number => {
      const points = p99BySecond(simulate({ ...COLD, durationMs: 30_000 }, settings, SEED), 16_000, 28_000);
      return Math.max(...points.map(([, p99]) => p99));
    };
    expect(worst(withSlowStart(contender('RoundRobin')))).to.be.below(worst(contender('RoundRobin')) / 3);
  });

  it('shows that unequal backends need weights, or a strategy that looks', () => {
    const blind = run(UNEQUAL, 'RoundRobin');
    expect(run(WEIGHTED, 'RoundRobin').p99Ms).to.be.below(blind.p99Ms / 4);
    expect(run(UNEQUAL, 'LeastRequest').p99Ms).to.be.below(blind.p99Ms / 4);
  });
});

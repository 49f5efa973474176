import { expect } from 'chai';
import { Explanation, type ExplainStep } from '../../explain/explanation.js';
import { FakeCall } from '../../testing/fake-call.js';
import { executorOf, retryRig } from '../../testing/retry-rig.js';

describe('the explanation of attempts at few instances', () => {
  async function steps(yaml: string, instances: number): Promise<readonly ExplainStep[]> {
    const rig = retryRig(await executorOf(yaml), instances);
    const call = new FakeCall();
    call.plan = rig.plan;
    const into = new Explanation();
    rig.planner.explain(call, into);
    return into.steps.filter(({ stage }) => stage !== 'timeout');
  }
  const LIMIT = /^not \d+ attempts, as the configuration allows: only /;

  const cases: readonly (readonly [yaml: string, instances: number, decision: string, limit: string | undefined])[] = [
    [
      'retryOnNext: 2',
      1,
      'up to 1 attempt',
      'not 3 attempts, as the configuration allows: only 1 instance, 1 attempt at each',
    ],
    [
      'retryOnNext: 2',
      2,
      'up to 2 attempts',
      'not 3 attempts, as the configuration allows: only 2 instances, 1 attempt at each',
    ],
    ['retryOnNext: 2', 3, 'up to 3 attempts', undefined],
    ['retryOnSame: 2', 1, 'up to 3 attempts', undefined],
  ];
  for (const [keys, instances, decision, limit] of cases) {
    it(`promises ${decision} with ${keys} and ${instances}, and names the limit`, async () => {
      const [retry] = await steps(`loadbalance: {retryEnabled: true, safeAttempts: 1, ${keys}}`, instances);
      expect(retry?.decision).to.equal(decision);
      const said = retry?.details.find((detail) => LIMIT.test(detail));
      expect(said?.split(';')[0]).to.equal(limit);
    });
  }

  it('says so of what is safe to repeat, too', async () => {
    const [retry] = await steps('loadbalance: {safeAttempts: 3}', 1);
    expect(retry?.decision).to.equal('only what is safe');
    expect(retry?.details[0]).to.match(/up to 1 attempt$/);
    expect(retry?.details.some((detail) => LIMIT.test(detail))).to.equal(true);
  });

  it('promises no company for a slow attempt where there is no other instance', async () => {
    const hedging = 'loadbalance: {hedging: {enabled: true, maxHedges: 3}}';
    const decisions = await Promise.all([1, 2].map(async (count) => (await steps(hedging, count))[1]?.decision));
    expect(decisions).to.deep.equal([
      'none: there is no other instance',
      'after 100 ms without an answer, up to 1 more at other instances',
    ]);
  });
});

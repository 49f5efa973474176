import { expect } from 'chai';
import { Explanation } from '../../explain/explanation.js';
import { BREAKER, FAILED, bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';

describe('the explanation of bizkeeper', () => {
  it('says what the call would meet, and changes nothing', async () => {
    const { make, call, policy, time } = await bizkeeperRig(BREAKER);
    const first = new Explanation();
    policy.explain?.(call(), first);
    expect(first.steps.map(({ decision }) => decision)).to.deep.equal([
      'closed: nothing was counted yet',
      'passes: no calls under way, 1000 may be',
    ]);
    times(4, () => make({}, FAILED));
    const open = new Explanation();
    policy.explain?.(call(), open);
    expect(open.stopped).to.equal(true);
    expect(open.rejection?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    expect(open.steps[0]).to.deep.include({ stage: 'circuit-breaker' });
    expect(open.steps[0]?.data).to.include({ state: 'open', calls: 4, failures: 4, probesInMs: 15_000 });
    time.advance(15_000);
    const due = new Explanation();
    policy.explain?.(call(), due);
    expect(due.stopped).to.equal(false);
    expect(due.steps[0]?.data).to.include({ state: 'open', probesInMs: 0 });
  });

  it('says what a forced fallback would answer', async () => {
    const yaml =
      'cse:\n  fallback:\n    Consumer:\n      force: true\n  fallbackpolicy:\n    Consumer:\n      policy: returnnull\n';
    const { call, policy } = await bizkeeperRig(yaml);
    const into = new Explanation();
    policy.explain?.(call(), into);
    expect(into.rejection?.status).to.equal(200);
  });

  it('leaves out the bulkheads that a relayed connection does not meet', async () => {
    const yaml = 'servicecomb:\n  bulkhead:\n    writers: |\n      maxConcurrentCalls: 1\n';
    const { call, begin, policy } = await bizkeeperRig(yaml);
    begin(call({ marks: ['writers'] }));
    const stages = (['http', 'tcp'] as const).map((protocol) => {
      const into = new Explanation();
      policy.explain?.(call({ protocol, marks: ['writers'] }), into);
      return [into.steps.map(({ stage }) => stage), into.stopped];
    });
    expect(stages).to.deep.equal([
      [['circuit-breaker', 'bulkhead', 'fallback'], true],
      [['circuit-breaker'], false],
    ]);
  });
});

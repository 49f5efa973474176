import { expect } from 'chai';
import { Explanation } from '../../explain/explanation.js';
import { FakeCall } from '../../testing/fake-call.js';
import { policyContext } from '../../testing/policy-context.js';
import { markedRateLimit } from './rate-limit-by-mark.js';

async function rig(policies: string) {
  const context = await policyContext({
    direction: 'inbound',
    files: { 'rate_limiting.yaml': `servicecomb:\n  rateLimiting:\n${policies}` },
  });
  const policy = markedRateLimit(context);
  const marked = (marks: readonly string[]): FakeCall => {
    const call = new FakeCall({
      direction: 'inbound',
      destination: { service: 'orders' },
      startedAt: context.time.now(),
    });
    call.marks = marks;
    return call;
  };
  const passing = (count: number, ...marks: string[]): number => {
    let passed = 0;
    for (let i = 0; i < count; i++) if ((policy.before?.(marked(marks)) as unknown) === undefined) passed++;
    return passed;
  };
  return { context, policy, marked, passing };
}

describe('rate-limiter', () => {
  it('limits calls by their mark, as go-chassis writes it, and calls without one by none', async () => {
    const { passing } = await rig(
      '    a: |\n      match: vip\n      rate: 10\n      burst: 2\n    b: |\n      match: none\n      rate: 10\n      burst: 3\n',
    );
    expect(passing(9, 'vip')).to.equal(2);
    expect(passing(9)).to.equal(3);
    expect(passing(9, 'other')).to.equal(9);
  });

  it('takes the mark of the policy’s own name and the periods of java-chassis', async () => {
    const { passing, context } = await rig('    login: |\n      rate: 4\n      limitRefreshPeriod: 2000\n');
    expect(passing(9, 'login')).to.equal(4);
    context.time.advance(1000);
    expect(passing(9, 'login')).to.equal(2);
  });

  it('takes the first limit whose mark the call carries', async () => {
    const { passing } = await rig('    a: {match: x, rate: 10, burst: 1}\n    b: {match: y, rate: 10, burst: 5}\n');
    expect(passing(9, 'y', 'x')).to.equal(1);
    expect(passing(9, 'y')).to.equal(5);
  });

  it('refuses a shared limiter which nobody offers, at a start and later', async () => {
    const files = { 'rate_limiting.yaml': 'servicecomb.rateLimiting: {a: {match: x, rate: 1, shared: redis}}\n' };
    const none = /there is no shared-limiter 'redis'/;
    const odd = await policyContext({ direction: 'inbound', files });
    expect(() => markedRateLimit(odd)).to.throw(none);
    const { context, passing } = await rig('    a: {match: x, rate: 10, burst: 2}\n');
    expect(() => context.configuration.check(odd.configuration.document)).to.throw(none);
    expect(passing(9, 'x')).to.equal(2);
  });

  it('does nothing without limits, and explains what it does with them', async () => {
    const context = await policyContext({});
    expect(markedRateLimit(context).isActive).to.equal(false);
    const { policy, marked } = await rig('    a: {match: x, rate: 10, burst: 1}\n');
    const into = new Explanation();
    policy.explain?.(marked(['x']), into);
    policy.explain?.(marked([]), into);
    expect(into.steps.map(({ decision }) => decision)).to.deep.equal([
      "passes calls marked x under the limit 'a' (10/s, burst 1)",
      'no limit for calls without a mark',
    ]);
  });
});

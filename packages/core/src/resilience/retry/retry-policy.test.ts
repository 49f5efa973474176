import { expect } from 'chai';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { answerOf, executorOf, retryRig } from '../../testing/retry-rig.js';
import { DEFAULT_EXECUTOR_SETTINGS, type ExecutorSettings } from '../timeout/executor-settings.js';
import type { RetryRule } from './retry-rule.js';
import { POST } from './testing/failing-attempts.js';

describe('the time of one attempt', () => {
  it('is for requests that can be sent again, and for connecting', async () => {
    const timeOf = (settings: ExecutorSettings, facts: FakeCallFacts): number => {
      const rig = retryRig(settings);
      const call = new FakeCall(facts);
      rig.begin(call);
      return call.tryTimeout;
    };
    const some = await executorOf('loadbalance: {retryEnabled: true, retryOnNext: 1, perTryTimeoutMs: 90}');
    const all = await executorOf('loadbalance: {retryEnabled: true, perTryTimeoutMs: 90, retryMethods: all}');
    const off = await executorOf('loadbalance: {perTryTimeoutMs: 90}');
    const tcp: FakeCallFacts = { protocol: 'tcp', idempotent: false };
    expect([timeOf(some, {}), timeOf(some, POST), timeOf(some, tcp)]).to.deep.equal([90, Infinity, 90]);
    expect([timeOf(all, POST), timeOf(off, {})]).to.deep.equal([90, Infinity]);
  });
});

describe('a route or a mark', () => {
  it('overrides the retries of the service, and switches them on', () => {
    const rig = retryRig(DEFAULT_EXECUTOR_SETTINGS);
    const call = new FakeCall();
    call.route = { name: 'r', timeoutMs: undefined, retry: { maxAttempts: 2, retryOn: ['500'], perTryTimeoutMs: 70 } };
    rig.begin(call);
    expect([call.tryTimeout, call.watchesAnswer]).to.deep.equal([70, true]);
    expect(rig.planner.answered(call, rig.plan, answerOf(503))).to.equal(undefined);
    expect(rig.planner.answered(call, rig.plan, answerOf(500))).to.be.an.instanceof(Promise);
    call.failedAttempts = 1;
    expect(rig.planner.answered(call, rig.plan, answerOf(500))).to.equal(undefined);
  });

  it('that says what to repeat and not how often repeats it once, or as often as the service does', async () => {
    const attemptsOf = (settings: ExecutorSettings, retry: RetryRule): number => {
      const rig = retryRig(settings, 9);
      const call = new FakeCall();
      call.route = { name: 'r', timeoutMs: undefined, retry };
      rig.begin(call);
      return rig.planner.of(rig.plan).retryOf(call).maxAttempts;
    };
    const four = await executorOf('loadbalance.retryOnNext: 3');
    expect(attemptsOf(DEFAULT_EXECUTOR_SETTINGS, { retryOn: ['5xx'] })).to.equal(2);
    expect(attemptsOf(DEFAULT_EXECUTOR_SETTINGS, { retryOnSame: 2 })).to.equal(3);
    expect(attemptsOf(four, { retryOn: ['5xx'] })).to.equal(4);
    expect(attemptsOf(four, { maxAttempts: 1 })).to.equal(1);
  });

  it('has the first word over a mark, and a mark over the service', async () => {
    const settings = {
      ...DEFAULT_EXECUTOR_SETTINGS,
      retriesByMark: new Map([['gold', { retryOn: ['500'], maxAttempts: 4 }]]),
    };
    const rig = retryRig(settings);
    const answer = (status: number) => ({ status, header: () => undefined });
    const call = new FakeCall();
    call.marks = ['silver', 'gold'];
    rig.begin(call);
    expect(rig.planner.isFailure(call, rig.plan, answer(500))).to.equal(true);
    call.route = { name: 'r', timeoutMs: undefined, retry: { retryOn: ['503'], maxAttempts: 2 } };
    expect([500, 503].map((status) => rig.planner.isFailure(call, rig.plan, answer(status)))).to.deep.equal([
      false,
      true,
    ]);
    expect(rig.planner.isFailure(new FakeCall(), rig.plan, answer(500))).to.equal(false);
  });
});

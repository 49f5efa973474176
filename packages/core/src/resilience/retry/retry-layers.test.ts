import { expect } from 'chai';
import { FakeCall } from '../../testing/fake-call.js';
import { answerOf, executorOf, retryRig } from '../../testing/retry-rig.js';
import type { ExecutorSettings } from '../timeout/executor-settings.js';
import { isRepeatedElsewhere, repetitionsBelow } from './retry-layers.js';

describe('a call that another layer of Mesher repeats', () => {
  let settings: ExecutorSettings;

  before(async () => {
    settings = await executorOf(
      'loadbalance: {retryEnabled: true, retryOnNext: 3, backoff.kind: zero, retryBudget: {percent: 0, minPerSecond: 0.4}}',
    );
  });

  it('is known by its attempt count, or by the wish not to repeat it', () => {
    const rows: readonly (readonly [Record<string, string>, boolean])[] = [
      [{}, false],
      [{ 'x-mesher-attempt': '1' }, false],
      [{ 'x-mesher-attempt': '2' }, true],
      [{ 'x-mesher-attempt': '17' }, true],
      [{ 'x-mesher-attempt': 'many' }, false],
      [{ 'x-mesher-attempt': '-2' }, false],
      [{ 'x-mesher-retry-budget': 'none' }, true],
      [{ 'x-mesher-retry-budget': 'some' }, false],
    ];
    for (const [headers, expected] of rows) {
      expect(isRepeatedElsewhere(new FakeCall({ headers })), JSON.stringify(headers)).to.equal(expected);
    }
  });

  it('is not repeated here, whatever failed, but for a pooled connection that was dead', () => {
    const rig = retryRig(settings);
    const results = (['MESH_ERR_CONNECT', 'MESH_ERR_UPSTREAM_RESET', 'stale'] as const).map((name) => {
      const call = new FakeCall({ headers: { 'x-mesher-attempt': '2' } });
      rig.begin(call);
      call.failedAttempts = 1;
      const stale = name === 'stale';
      const code = stale ? 'MESH_ERR_UPSTREAM_RESET' : name;
      const failure = { code, message: '', sent: name !== 'MESH_ERR_CONNECT', reusedConnection: stale };
      return rig.planner.again(call, rig.plan, failure) !== undefined;
    });
    expect(results).to.deep.equal([false, false, true]);
    expect(rig.withheld()).to.deep.equal({ layer: 2 });
  });

  it('tells the layer below by a field of the request, and the layer above by one of the answer', () => {
    const rig = retryRig(settings);
    const call = new FakeCall();
    rig.begin(call);
    for (let i = 0; i < 2; i++) {
      call.endpoint = rig.endpoints[i];
      expect(rig.planner.answered(call, rig.plan, answerOf(503))).to.equal(rig.endpoints[i + 1]);
      call.failedAttempts++;
      expect(call.sent('x-mesher-attempt')).to.deep.equal([String(i + 2)]);
      expect(call.responseFields).to.deep.equal([['x-mesher-retries', String(i + 1)]]);
      expect(isRepeatedElsewhere(call.forwarded({ direction: 'outbound' }))).to.equal(true);
    }
  });

  it('is not marked as repeated for what never reached an instance', () => {
    const rig = retryRig(settings);
    const call = new FakeCall();
    rig.begin(call);
    call.failedAttempts = 1;
    const refused = { code: 'MESH_ERR_CONNECT', message: '', sent: false, reusedConnection: false } as const;
    expect(rig.planner.again(call, rig.plan, refused)).to.equal(rig.endpoints[1]);
    expect([call.sent('x-mesher-attempt'), call.responseFields]).to.deep.equal([[], undefined]);
  });

  it('has fewer attempts left here, by those that were made below', () => {
    const outcomeOf = (retries: string): boolean => {
      const rig = retryRig(settings, 5);
      const call = new FakeCall();
      rig.begin(call);
      return rig.planner.answered(call, rig.plan, answerOf(503, { 'x-mesher-retries': retries })) !== undefined;
    };
    expect(['0', '1', '2', '3', '1, 1', '1, 2', 'x', '-5'].map(outcomeOf)).to.deep.equal([
      true,
      true,
      true,
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  it('has fewer left with each answer that took some', () => {
    const rig = retryRig(settings, 5);
    const call = new FakeCall();
    rig.begin(call);
    const answer = answerOf(503, { 'x-mesher-retries': '1' });
    expect(rig.planner.answered(call, rig.plan, answer)).to.equal(rig.endpoints[1]);
    call.failedAttempts++;
    expect(rig.planner.answered(call, rig.plan, answer)).to.equal(undefined);
  });

  it('is not repeated when the budget below is used up, and says so itself when its own is', () => {
    const rig = retryRig(settings);
    const answer = answerOf(503, { 'x-mesher-retry-budget': 'none' });
    expect(repetitionsBelow(answer)).to.equal(Infinity);
    const spared = new FakeCall();
    rig.begin(spared);
    expect(rig.planner.answered(spared, rig.plan, answer)).to.equal(undefined);
    const calls = Array.from({ length: 5 }, () => new FakeCall());
    for (const call of calls) {
      rig.begin(call);
      void rig.planner.answered(call, rig.plan, answerOf(503));
    }
    const last = calls[4]?.responseFields;
    expect(last).to.deep.equal([['x-mesher-retry-budget', 'none']]);
    expect(rig.withheld()).to.deep.equal({ layer: 1, budget: 1 });
  });
});

describe('an answer that a sidecar made itself', () => {
  it('is not asked for again when a policy there has refused the call, and may be for any method when nobody executed it', async () => {
    const settings = await executorOf(
      'loadbalance: {retryEnabled: true, retryOnNext: 1, retryOn: 5xx, backoff.kind: zero}',
    );
    const again = (code: string): boolean => {
      const rig = retryRig(settings);
      const call = new FakeCall({ method: 'POST', idempotent: false });
      rig.begin(call);
      return rig.planner.answered(call, rig.plan, answerOf(503, { 'x-mesher-error': code })) !== undefined;
    };
    expect(again('MESH_ERR_FAULT_INJECTED')).to.equal(false);
    expect(again('MESH_ERR_BREAKER_OPEN')).to.equal(true);
    expect(again('MESH_ERR_UPSTREAM_RESET')).to.equal(false);
    expect(again('toString')).to.equal(false);
  });
});

import { expect } from 'chai';
import { FakeCall } from '../../testing/fake-call.js';
import { fakePorts, settle } from '../../testing/fake-ports.js';
import { answerOf, executorOf, retryRig, type RetryRig } from '../../testing/retry-rig.js';
import type { NextAttempt } from './retry-planner.js';
import { fail } from './testing/failing-attempts.js';

describe('the wait before another attempt of a call', () => {
  const CONSTANT = 'backoff: {kind: constant, minMs: 200}';

  async function rigOf(more = ''): Promise<RetryRig> {
    return retryRig(
      await executorOf(`loadbalance: {retryEnabled: true, retryOnNext: 2, retryOn: 5xx, ${CONSTANT}${more}}`),
    );
  }

  it('lasts as long as the backoff says, and none for an instance that could not be reached', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    expect(fail(rig, call, 'connect')).to.equal(rig.endpoints[1]);
    call.endpoint = rig.endpoints[1];
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    let arrived: unknown;
    void next.then((endpoint) => (arrived = endpoint));
    await rig.time.advanceAsync(199);
    expect(arrived).to.equal(undefined);
    await rig.time.advanceAsync(1);
    expect(arrived).to.equal(rig.endpoints[2]);
  });

  it('is there for the only instance after a failed connect: it may be starting', async () => {
    const rig = retryRig(await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 1, ${CONSTANT}}`), 1);
    const call = new FakeCall();
    rig.begin(call);
    expect(fail(rig, call, 'connect')).to.be.an.instanceof(Promise);
  });

  it('grows with each attempt that may have been work', async () => {
    const backoff = 'backoff: {kind: jittered, minMs: 100, maxMs: 10000}';
    const rig = retryRig(await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 9, ${backoff}}`));
    const random = fakePorts().random;
    const call = new FakeCall();
    rig.begin(call);
    for (const bound of [200, 400, 800]) {
      const wait = 100 + random.next() * (bound - 100);
      const next = fail(rig, call, 'timeout') as Promise<unknown>;
      let isOver = false;
      void next.then(() => (isOver = true));
      await rig.time.advanceAsync(wait - 0.01);
      expect(isOver, `less than ${wait}`).to.equal(false);
      await rig.time.advanceAsync(0.02);
      expect(isOver, `more than ${wait}`).to.equal(true);
    }
  });

  it('is not begun when it would last beyond the deadline', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    call.deadlineAt = 200;
    expect(fail(rig, call, 'reset')).to.equal(undefined);
    call.deadlineAt = 201;
    expect(fail(rig, call, 'reset')).to.be.an.instanceof(Promise);
    expect(rig.withheld()).to.deep.equal({ deadline: 1 });
  });

  it('ends within 30 s of the start of the call when no time was set, which bounds the attempts after the first', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    expect(call.deadlineAt).to.equal(Infinity);
    rig.time.advance(29_799);
    expect(fail(rig, call, 'reset')).to.be.an.instanceof(Promise);
    expect(call.deadlineAt).to.equal(30_000);
    rig.time.advance(1);
    const late = new FakeCall();
    rig.begin(late);
    late.startedAt = 0;
    expect(fail(rig, late, 'reset')).to.equal(undefined);
    expect(rig.withheld()).to.deep.equal({ deadline: 1 });
  });

  it('may come as late as the time of the route lets it, also beyond that of the service', async () => {
    const rig = retryRig(
      await executorOf(
        'loadbalance: {retryEnabled: true, retryOnNext: 1}\nisolation.Consumer.timeoutInMilliseconds: 300',
      ),
    );
    const call = new FakeCall();
    rig.begin(call);
    call.route = { name: 'r', timeoutMs: 5_000, retry: undefined };
    call.deadlineAt = 5_000;
    rig.time.advance(500);
    expect(fail(rig, call, 'reset')).to.not.equal(undefined);
    expect(rig.withheld()).to.deep.equal({});
  });

  it('may come after an upload that took longer than the time of the service, which began with its end', async () => {
    const rig = retryRig(
      await executorOf(
        'loadbalance: {retryEnabled: true, retryOnNext: 1}\nisolation.Consumer.timeoutInMilliseconds: 300',
      ),
    );
    const call = new FakeCall();
    rig.begin(call);
    call.deadlineIsOurs = true;
    call.deadlineAt = 1_300;
    rig.time.advance(1_100);
    expect(fail(rig, call, 'reset')).to.not.equal(undefined);
  });

  it('leads nowhere when the call is over by then', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    call.ended = true;
    rig.time.advance(200);
    expect(await next).to.equal(undefined);
  });

  it('leads to another instance when the chosen one is gone by then', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    const [, second] = rig.endpoints;
    if (second !== undefined) {
      second.retired = true;
      call.tried?.push(second);
    }
    rig.time.advance(200);
    await settle();
    expect(await next).to.equal(rig.endpoints[2]);
  });

  it('is as long as retry-after asks, if that is longer and not longer than allowed', async () => {
    const rig = await rigOf();
    const answered = (fields: Record<string, string>): NextAttempt => {
      const call = new FakeCall();
      rig.begin(call);
      return rig.planner.answered(call, rig.plan, answerOf(503, fields));
    };
    const next = answered({ 'retry-after': '1' }) as Promise<unknown>;
    let isOver = false;
    void next.then(() => (isOver = true));
    await rig.time.advanceAsync(999);
    expect(isOver).to.equal(false);
    await rig.time.advanceAsync(1);
    expect(isOver).to.equal(true);
    expect(answered({ 'retry-after': '2' })).to.equal(undefined);
    const inHalfAMinute = new Date(rig.time.wallTime() + 30_000).toUTCString();
    expect(answered({ 'retry-after': inHalfAMinute })).to.equal(undefined);
    expect(answered({ 'retry-after': 'soon' })).to.be.an.instanceof(Promise);
    expect(rig.withheld()).to.deep.equal({ 'retry-after': 2 });
  });
});

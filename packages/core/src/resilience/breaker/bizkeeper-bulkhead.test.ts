import { expect } from 'chai';
import type { FakeCall } from '../../testing/fake-call.js';
import { outcome } from '../../testing/handler-rig.js';
import { bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';

describe('the bulkhead of bizkeeper', () => {
  const BULKHEAD = 'cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 2\n';

  it('is not made with bounds of its adaptive limit that contradict each other', async () => {
    const yaml = 'cse.isolation.Consumer.adaptive: {enabled: true, minLimit: 50, maxLimit: 5}\n';
    const problem = await bizkeeperRig(yaml).catch((error: unknown) => error as Error);
    expect((problem as Error).message).to.contain('maxLimit is less than minLimit');
  });

  it('refuses calls beyond the limit, with the key to raise', async () => {
    const { call, begin, end } = await bizkeeperRig(BULKHEAD);
    const calls = [call(), call(), call()];
    expect(calls.map(begin).map((refusal) => refusal?.code)).to.deep.equal([
      undefined,
      undefined,
      'MESH_ERR_BULKHEAD_FULL',
    ]);
    const refusal = begin(call());
    expect(refusal).to.include({ status: 503, retryAfterSeconds: 1 });
    expect(refusal?.message).to.equal(
      '2 calls of world are under way, which is the limit (cse.isolation.Consumer.maxConcurrentRequests)',
    );
    end(calls[0] as FakeCall);
    expect(begin(call())).to.equal(undefined);
  });

  it('changes its limit while calls are under way', async () => {
    const { call, begin, reconfigure } = await bizkeeperRig(BULKHEAD);
    times(2, () => begin(call()));
    await reconfigure(BULKHEAD.replace('2', '3'));
    expect(begin(call())).to.equal(undefined);
    expect(begin(call())?.code).to.equal('MESH_ERR_BULKHEAD_FULL');
    await reconfigure(BULKHEAD.replace('2', '6000'));
    times(1000, () => expect(begin(call())).to.equal(undefined));
  });

  it('leaves relayed connections alone', async () => {
    const { call, begin } = await bizkeeperRig(BULKHEAD);
    times(10, () => expect(begin(call({ protocol: 'tcp' }))).to.equal(undefined));
    expect(begin(call())).to.equal(undefined);
  });

  it('lets a call wait for its turn', async () => {
    const { call, begin, end, policy } = await bizkeeperRig(`${BULKHEAD}      maxQueue: 1\n`);
    const [first, second, third] = [call(), call(), call()] as [FakeCall, FakeCall, FakeCall];
    begin(first);
    begin(second);
    const waiting = policy.before?.(third);
    expect(begin(call())?.code).to.equal('MESH_ERR_BULKHEAD_FULL');
    end(first);
    expect(await waiting).to.equal(undefined);
    end(second);
    end(third);
    expect([begin(call()), begin(call())]).to.deep.equal([undefined, undefined]);
  });

  it('says that it is full at most once in ten seconds, and how often it refused since', async () => {
    const { call, begin, make, events, time } = await bizkeeperRig(BULKHEAD);
    times(2, () => begin(call()));
    times(50, () => make());
    time.advance(10_000);
    times(50, () => make());
    expect(events.latest.map(({ kind }) => kind)).to.deep.equal(['bulkhead-full', 'bulkhead-full']);
    expect(events.latest[1]?.text).to.equal(
      'A call of world was refused: 2 calls under way, 2 may be; 49 more were refused since the last time',
    );
  });

  it('names the key of the service that has one of its own', async () => {
    const { call, begin, make } = await bizkeeperRig(`${BULKHEAD}      world: { maxConcurrentRequests: 1 }\n`);
    begin(call());
    expect(make()?.message).to.contain('(cse.isolation.Consumer.world.maxConcurrentRequests)');
  });

  it('is not there when any number of calls may be under way and nothing else is configured', async () => {
    const { policy } = await bizkeeperRig('cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 0\n');
    expect(policy.isActive).to.equal(false);
  });

  it('loses no place when a chain names it twice', async () => {
    const yaml = 'cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n';
    const { policy, call, begin, make } = await bizkeeperRig(yaml);
    const made = call();
    expect([begin(made), begin(made)]).to.deep.equal([undefined, undefined]);
    policy.after?.(made, outcome());
    policy.after?.(made, outcome());
    expect(make()).to.equal(undefined);
    expect(make()).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { FAILED, bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';
import { settle } from '../../testing/fake-ports.js';

describe('breakers and bulkheads by mark', () => {
  const BY_MARK =
    'servicecomb:\n  circuitBreaker:\n    slow-users: |\n      minimumNumberOfCalls: 2\n      slidingWindowSize: 4\n      waitDurationInOpenState: 5s\n      permittedNumberOfCallsInHalfOpenState: 1\n  bulkhead:\n    writers: |\n      match: writes\n      maxConcurrentCalls: 1\n      maxWaitDuration: 100\n';

  it('open for the marked calls of a service alone', async () => {
    const { make, time } = await bizkeeperRig(BY_MARK);
    times(2, () => make({ marks: ['slow-users'] }, FAILED));
    expect(make({ marks: ['slow-users'] })?.message).to.contain('world (mark slow-users) is open');
    expect(make()).to.equal(undefined);
    expect(make({ marks: ['slow-users'], service: 'other' })).to.equal(undefined);
    time.advance(5_500);
    expect(make({ marks: ['slow-users'] })).to.equal(undefined);
    expect(make({ marks: ['slow-users'] })).to.equal(undefined);
  });

  it('limit marked calls and let them wait', async () => {
    const { call, begin, end, policy, time } = await bizkeeperRig(BY_MARK);
    const first = call({ marks: ['writes'] });
    expect(begin(first)).to.equal(undefined);
    const waiting = [policy.before?.(call({ marks: ['writes'] }))];
    expect(begin(call())).to.equal(undefined);
    time.advance(100);
    await settle();
    expect(await waiting[0]).to.include({ code: 'MESH_ERR_BULKHEAD_FULL' });
    const second = call({ marks: ['writes'] });
    const turn = policy.before?.(second);
    end(first);
    expect(await turn).to.equal(undefined);
    end(second);
    expect(begin(call({ marks: ['writes'] }))).to.equal(undefined);
  });

  it('do not take connections that stay open for long for slow calls', async () => {
    const { make, events } = await bizkeeperRig(BY_MARK);
    times(4, () => make({ marks: ['slow-users'], protocol: 'tcp' }, { durationMs: 3_600_000 }));
    expect(events.latest).to.deep.equal([]);
    times(4, () => make({ marks: ['slow-users'] }, { durationMs: 3_600_000 }));
    expect(events.latest.map(({ kind }) => kind)).to.deep.equal(['breaker-opened']);
  });

  it('take a call once each, although their order changes while it waits', async () => {
    const one = '    one: |\n      match: both\n      maxConcurrentCalls: 1\n      maxWaitDuration: 100\n';
    const two = one.replace('one', 'two');
    const { call, begin, end, policy, reconfigure } = await bizkeeperRig(`servicecomb:\n  bulkhead:\n${one}${two}`);
    const first = call({ marks: ['both'] });
    expect(begin(first)).to.equal(undefined);
    const second = call({ marks: ['both'] });
    const turn = policy.before?.(second);
    await reconfigure(`servicecomb:\n  bulkhead:\n${two}${one}`);
    begin(call({ service: 'world' }));
    end(first);
    expect(await turn).to.equal(undefined);
    end(second);
    expect(begin(call({ marks: ['both'] }))).to.equal(undefined);
  });
});

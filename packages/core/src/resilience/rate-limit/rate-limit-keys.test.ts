import { expect } from 'chai';
import { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import { FakeTime } from '../../testing/fake-ports.js';
import { KeyedLimits } from './rate-limit-keys.js';

const SHAPE = { id: 'Provider/global', name: 'global', rate: 1, burst: 2, shared: undefined };

function rig(maxKeys: number) {
  const time = new FakeTime();
  const store = (): never => {
    throw new Error('nothing is shared here');
  };
  const limits = new KeyedLimits(SHAPE, maxKeys, { clock: time, metrics: new PolicyMetrics(), store, scope: 'a/b' });
  const take = (key: string): boolean => limits.of(key).bucket.take(time.now());
  return { time, limits, take };
}

describe('KeyedLimits', () => {
  it('never has more buckets than allowed, however many names come, and the newcomers share one', () => {
    const { limits, take } = rig(100);
    for (let i = 0; i < 100_000; i++) take(`forged-${i}`);
    expect(limits.size).to.equal(100);
    expect(limits.of('one-more')).to.equal(limits.of('another'));
  });

  it('gives up full buckets only: a caller who has used its limit up cannot get a new one by flooding', () => {
    const { limits, take, time } = rig(10);
    expect([take('caller'), take('caller'), take('caller')]).to.deep.equal([true, true, false]);
    for (let i = 0; i < 9; i++) limits.of(`idle-${i}`);
    for (let i = 0; i < 1000; i++) take(`forged-${i}`);
    expect(take('caller')).to.equal(false);
    expect(limits.size).to.equal(10);
    time.advance(1000);
    expect(take('caller')).to.equal(true);
  });

  it('makes room for newcomers once others have rested', () => {
    const { limits, take, time } = rig(3);
    for (const key of ['a', 'b', 'c']) take(key);
    const shared = limits.of('d');
    time.advance(1000);
    expect(limits.of('d')).to.not.equal(shared);
    expect(limits.size).to.equal(3);
  });

  it('takes over a changed limit and a smaller bound', () => {
    const { limits, take } = rig(10);
    for (let i = 0; i < 10; i++) take(`caller-${i}`);
    limits.adjust({ ...SHAPE, rate: 10, burst: 20 }, 4);
    expect(limits.size).to.equal(4);
    expect(limits.of('caller-9').bucket.level(0)).to.equal(10);
  });

  it('makes nothing when it is only looked at', () => {
    const { limits, take } = rig(10);
    expect(limits.peek('a').bucket.level(0)).to.equal(2);
    expect(limits.size).to.equal(0);
    take('a');
    expect(limits.peek('a')).to.equal(limits.of('a'));
    expect(limits.peek('x'.repeat(129))).to.equal(limits.of('y'.repeat(129)));
  });
});

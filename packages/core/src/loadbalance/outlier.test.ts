import { expect } from 'chai';
import { FakeCall } from '../testing/fake-call.js';
import { balanceRig, numbered, type BalanceRig } from '../testing/balance-rig.js';
import { fakePorts } from '../testing/fake-ports.js';
import { BalanceReports } from './balance-reports.js';
import { OutlierDetector, type OutlierRules } from './outlier.js';
import { OutlierSweeper } from './outlier-sweeper.js';

const RULES: OutlierRules = {
  consecutive5xx: 5,
  consecutiveGatewayErrors: 3,
  successRate: { minHosts: 5, minRequests: 100, stdevFactor: 1.9 },
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 100_000,
  maxEjectionPercent: 50,
};

function rigOf(count: number, rules: Partial<OutlierRules> = {}): BalanceRig {
  const instances = Array.from({ length: count }, (_, index) => numbered(index + 1));
  return balanceRig({ outlier: { ...RULES, ...rules } }, ...instances);
}

function answer(rig: BalanceRig, n: number, status: number, times = 1): void {
  for (let i = 0; i < times; i++) {
    rig.plan.started(rig.at(n));
    rig.plan.observe(new FakeCall(), rig.at(n), { status, code: undefined, aborted: false, durationMs: 1 });
  }
}

function kinds(rig: BalanceRig): string[] {
  return rig.events.latest.map(({ kind }) => kind);
}

describe('outlier ejection', () => {
  it('takes an endpoint out after so many 5xx in a row, and not before', () => {
    const rig = rigOf(4);
    answer(rig, 1, 500, 4);
    answer(rig, 1, 200);
    answer(rig, 1, 500, 4);
    expect(rig.at(1).isOut).to.equal(false);
    answer(rig, 1, 500);
    expect(rig.at(1).isOut).to.equal(true);
    expect(rig.send(30)).to.deep.equal({ 2: 10, 3: 10, 4: 10 });
    expect(rig.events.latest[0]?.data).to.deep.equal({
      endpoint: '10.0.0.1:80',
      reason: 'consecutive-5xx',
      forMs: 30_000,
    });
  });

  it('counts gateway errors apart, connections that failed among them; another 5xx ends the row', () => {
    const rig = rigOf(4);
    answer(rig, 1, 503, 2);
    answer(rig, 1, 500);
    answer(rig, 1, 502, 1);
    expect(rig.at(1).isOut).to.equal(false);
    answer(rig, 2, 504, 2);
    rig.plan.observe(new FakeCall(), rig.at(2), { status: 0, code: 'MESH_ERR_CONNECT', aborted: false, durationMs: 1 });
    expect(rig.at(2).isOut).to.equal(true);
    expect(rig.events.latest[0]?.data.reason).to.equal('consecutive-gateway-errors');
  });

  it('counts nothing of callers that left, nor of what Mesher refused itself', () => {
    const rig = rigOf(4);
    for (let i = 0; i < 20; i++) {
      rig.plan.observe(new FakeCall(), rig.at(1), { status: 0, code: undefined, aborted: true, durationMs: 1 });
      rig.plan.observe(new FakeCall(), rig.at(1), {
        status: 413,
        code: 'MESH_ERR_TOO_LARGE',
        aborted: false,
        durationMs: 1,
      });
    }
    expect(rig.at(1).isOut).to.equal(false);
  });

  it('lets it return when its time is over, and makes the next time longer, up to a limit', () => {
    const rig = rigOf(4);
    const lasts = (): number => {
      answer(rig, 1, 500, 5);
      const since = rig.time.now();
      while (rig.at(1).isOut) rig.time.advance(10_000);
      return rig.time.now() - since;
    };
    expect([lasts(), lasts(), lasts(), lasts()]).to.deep.equal([30_000, 60_000, 90_000, 100_000]);
    expect(kinds(rig).filter((kind) => kind === 'endpoint-returned')).to.have.lengthOf(4);
  });

  it('is not made longer by what an ejected endpoint still answers', () => {
    const rig = rigOf(4);
    answer(rig, 1, 500, 5);
    answer(rig, 1, 500, 50);
    expect(rig.at(1).ejections).to.equal(1);
    expect(kinds(rig)).to.deep.equal(['endpoint-ejected']);
    rig.time.advance(30_000);
    expect(rig.at(1).isOut).to.equal(false);
    answer(rig, 1, 500, 4);
    expect(rig.at(1).isOut).to.equal(false);
  });

  it('forgives step by step who behaves', () => {
    const rig = rigOf(4);
    for (let i = 0; i < 2; i++) {
      answer(rig, 1, 500, 5);
      rig.time.advance(70_000);
    }
    expect(rig.at(1).ejections).to.be.at.most(1);
    rig.time.advance(40_000);
    expect(rig.at(1).ejections).to.equal(0);
  });

  it('never takes out more than the largest share, but always may take one', () => {
    const rig = rigOf(10, { maxEjectionPercent: 20 });
    for (let n = 1; n <= 5; n++) answer(rig, n, 500, 10);
    expect([1, 2, 3, 4, 5].map((n) => rig.at(n).isOut)).to.deep.equal([true, true, false, false, false]);
    const small = rigOf(2, { maxEjectionPercent: 1 });
    answer(small, 1, 500, 5);
    answer(small, 2, 500, 5);
    expect([small.at(1).isOut, small.at(2).isOut]).to.deep.equal([true, false]);
  });

  it('makes room when an ejected endpoint leaves the service', () => {
    const rig = rigOf(4, { maxEjectionPercent: 25 });
    answer(rig, 1, 500, 5);
    rig.publish(...[2, 3, 4, 5].map((n) => numbered(n)));
    answer(rig, 2, 500, 5);
    expect(rig.at(2).isOut).to.equal(true);
  });

  it('compares success rates at the end of an interval, among those with enough calls', () => {
    const rig = rigOf(6, { consecutive5xx: 0, consecutiveGatewayErrors: 0 });
    for (let n = 1; n <= 6; n++) for (let i = 0; i < 150; i++) answer(rig, n, n === 6 && i % 3 === 0 ? 500 : 200);
    expect(rig.at(6).isOut).to.equal(false);
    rig.time.advance(10_000);
    expect([1, 2, 3, 4, 5, 6].map((n) => rig.at(n).isOut)).to.deep.equal([false, false, false, false, false, true]);
    expect(rig.events.latest[0]?.data.reason).to.equal('success-rate');
  });

  it('compares nothing among too few endpoints, or with too few calls', () => {
    for (const [count, calls] of [
      [4, 150],
      [6, 99],
    ] as const) {
      const rig = rigOf(count, { consecutive5xx: 0, consecutiveGatewayErrors: 0 });
      for (let n = 1; n <= count; n++) answer(rig, n, n === 1 ? 500 : 200, calls);
      rig.time.advance(10_000);
      expect(rig.at(1).isOut).to.equal(false);
    }
  });

  it('has one timer however many services there are, and none before the first attempt or after the last plan', () => {
    const rig = rigOf(2);
    expect(rig.time.pendingTimers).to.equal(0);
    answer(rig, 1, 200);
    expect(rig.time.pendingTimers).to.equal(1);
    rig.plan.retireAll();
    expect(rig.time.pendingTimers).to.equal(0);
  });

  it('starts no timer for an attempt that ends after the chassis was closed', () => {
    const { time, ...ports } = fakePorts();
    const sweeper = new OutlierSweeper(ports);
    sweeper.close();
    sweeper.add(new OutlierDetector('world', RULES, () => new Map(), new BalanceReports(), 0));
    expect(time.pendingTimers).to.equal(0);
  });

  it('looks once per interval of each service, also when the timer goes off a little early', () => {
    const { time, ...ports } = fakePorts();
    let early = 0;
    const clock = { now: () => time.now() - early, wallTime: () => 0 };
    const sweeper = new OutlierSweeper({ ...ports, clock });
    const [quick, slow] = [10_000, 30_000].map(
      (intervalMs) => new OutlierDetector('world', { ...RULES, intervalMs }, () => new Map(), new BalanceReports(), 0),
    ) as [OutlierDetector, OutlierDetector];
    sweeper.add(quick);
    sweeper.add(slow);
    time.advance(10_000);
    expect([quick.sweepAt, slow.sweepAt]).to.deep.equal([20_000, 30_000]);
    early = 0.5;
    time.advance(10_000);
    expect([quick.sweepAt, slow.sweepAt]).to.deep.equal([29_999.5, 30_000]);
    time.advance(10_000);
    expect([quick.sweepAt, slow.sweepAt]).to.deep.equal([39_999.5, 59_999.5]);
  });

  it('costs nothing and ejects nobody while it is off', () => {
    const rig = balanceRig({}, numbered(1), numbered(2));
    answer(rig, 1, 500, 100);
    expect(rig.at(1).isOut).to.equal(false);
    expect(rig.time.pendingTimers).to.equal(0);
  });
});

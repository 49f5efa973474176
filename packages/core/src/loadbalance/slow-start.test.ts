import { expect } from 'chai';
import { balanceRig, numbered } from '../testing/balance-rig.js';
import { warmth } from './slow-start.js';

const RULE = { windowMs: 10_000, minimumShare: 0.1, aggression: 1 };

describe('the part of its share that a new endpoint gets', () => {
  it('grows evenly from the least one to all of it', () => {
    const at = (now: number): number => warmth({ warmingSince: 1000 }, now, RULE);
    expect([1000, 1500, 6000, 11_000, 99_000].map(at)).to.deep.equal([0.1, 0.1, 0.5, 1, 1]);
  });

  it('grows faster at first with more aggression, and slower with less', () => {
    const half = (aggression: number): number => warmth({ warmingSince: 1 }, 5001, { ...RULE, aggression });
    expect(half(2)).to.be.closeTo(Math.SQRT1_2, 1e-9);
    expect(half(0.5)).to.be.closeTo(0.25, 1e-9);
  });
});

describe('slow start', () => {
  for (const strategy of ['RoundRobin', 'Random', 'LeastRequest', 'PeakEWMA', 'WeightedResponse']) {
    it(`leads calls to a new endpoint little by little: ${strategy}`, () => {
      const rig = balanceRig({ strategy, slowStart: RULE }, numbered(1), numbered(2), numbered(3));
      expect((rig.send(3000)[3] ?? 0) / 3000).to.be.closeTo(1 / 3, 0.04);
      rig.time.advance(1000);
      rig.publish(numbered(1), numbered(2), numbered(3), numbered(4));
      const share = (): number => (rig.send(4000)[4] ?? 0) / 4000;
      expect(share()).to.be.closeTo(0.1 / 3.1, 0.02);
      rig.time.advance(5000);
      expect(share()).to.be.closeTo(0.5 / 3.5, 0.03);
      rig.time.advance(5000);
      expect(share()).to.be.closeTo(0.25, 0.03);
    });
  }

  it('leaves what it holds back to all others alike', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1), numbered(2), numbered(3));
    rig.send(1);
    rig.time.advance(1000);
    rig.publish(numbered(1), numbered(4), numbered(2), numbered(3));
    const counts = rig.send(6000);
    for (const n of [1, 2, 3]) expect((counts[n] ?? 0) / 6000).to.be.closeTo(1 / 3.1, 0.03);
  });

  it('does not take the endpoints of the first snapshot for new: it is this process that is', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1), numbered(2));
    expect(rig.send(100)).to.deep.equal({ 1: 50, 2: 50 });
    expect([rig.at(1).warmingSince, rig.at(2).warmingSince]).to.deep.equal([0, 0]);
  });

  it('gives calls to new ones as if they were warm when there are no others', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1));
    rig.send(1);
    rig.time.advance(1000);
    rig.publish(numbered(2), numbered(3));
    const counts = rig.send(1000);
    expect(counts[2]).to.be.within(400, 600);
  });

  it('begins again for an endpoint that took no calls for a while', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1), numbered(2));
    rig.time.advance(50_000);
    rig.at(2).bar('ejected');
    rig.send(10);
    rig.at(2).lift('ejected');
    expect((rig.send(2000)[2] ?? 0) / 2000).to.be.closeTo(0.1 / 1.1, 0.03);
    rig.time.advance(10_000);
    expect((rig.send(2000)[2] ?? 0) / 2000).to.be.closeTo(0.5, 0.03);
  });

  it('does not begin again because another endpoint comes or goes', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1), numbered(2), numbered(3));
    rig.time.advance(50_000);
    rig.at(2).bar('ejected');
    rig.send(10);
    rig.at(2).lift('ejected');
    rig.send(10);
    rig.time.advance(20_000);
    rig.at(3).bar('breaker');
    expect((rig.send(2000)[2] ?? 0) / 2000).to.be.closeTo(0.5, 0.03);
  });

  it('leaves what it holds back to an endpoint, too, that came back meanwhile', () => {
    const rig = balanceRig({ slowStart: RULE }, numbered(1), numbered(2));
    rig.send(1);
    rig.time.advance(20_000);
    rig.at(2).bar('breaker');
    rig.publish(numbered(1), numbered(2), numbered(3));
    rig.send(50);
    rig.at(2).lift('breaker');
    rig.send(1);
    rig.time.advance(9_000);
    const counts = rig.send(4000);
    expect(counts[2] ?? 0).to.be.closeTo((4000 * 0.9) / 2.8, 150);
  });
});

import { expect } from 'chai';
import { balanceRig, numbered } from '../testing/balance-rig.js';

const FOUR = [1, 2, 3, 4].map((n) => numbered(n));

describe('panic', () => {
  it('begins when less than half of the endpoints are fit, ignores ejections and breakers, and is told', () => {
    const rig = balanceRig({}, ...FOUR);
    rig.at(1).bar('ejected');
    rig.at(2).bar('breaker');
    expect(rig.send(40)).to.deep.equal({ 3: 20, 4: 20 });
    rig.at(3).bar('ejected');
    expect(rig.send(40)).to.deep.equal({ 1: 10, 2: 10, 3: 10, 4: 10 });
    expect(rig.plan.isPanicking).to.equal(true);
    rig.at(3).lift('ejected');
    expect(Object.keys(rig.send(40))).to.deep.equal(['3', '4']);
    expect(rig.plan.isPanicking).to.equal(false);
    expect(rig.events.latest.map(({ kind, service }) => [kind, service])).to.deep.equal([
      ['panic-began', 'world'],
      ['panic-ended', 'world'],
    ]);
  });

  it('is told once however many snapshots come meanwhile, and its end also when a snapshot brings it', () => {
    const rig = balanceRig({}, ...FOUR);
    for (const n of [1, 2, 3]) rig.at(n).bar('ejected');
    rig.send(1);
    rig.publish(...FOUR, numbered(5));
    rig.send(1);
    expect(rig.plan.isPanicking).to.equal(true);
    rig.publish(numbered(1), numbered(4), numbered(5));
    rig.send(1);
    expect(rig.plan.isPanicking).to.equal(false);
    expect(rig.events.latest.map(({ kind }) => kind)).to.deep.equal(['panic-began', 'panic-ended']);
  });

  it('still passes over endpoints that refuse connections', () => {
    const rig = balanceRig({}, ...FOUR);
    rig.at(1).restingUntil = 1000;
    rig.at(2).bar('breaker');
    rig.at(3).bar('breaker');
    expect(Object.keys(rig.send(30))).to.deep.equal(['2', '3', '4']);
  });

  it('never begins with a threshold of 0 while anybody is fit', () => {
    const rig = balanceRig({ panicThreshold: 0 }, ...FOUR);
    for (const n of [1, 2, 3]) rig.at(n).bar('ejected');
    expect(rig.send(10)).to.deep.equal({ 4: 10 });
  });

  it('begins with every threshold when nobody is fit: a bad endpoint is better than none', () => {
    const rig = balanceRig({ panicThreshold: 0 }, numbered(1), numbered(2));
    rig.at(1).bar('ejected');
    rig.at(2).bar('ejected');
    expect(rig.send(10)).to.deep.equal({ 1: 5, 2: 5 });
  });
});

describe('the only instance', () => {
  it('gets calls while it refuses connections, and that is no panic', () => {
    const rig = balanceRig({}, numbered(1));
    rig.at(1).restingUntil = 1000;
    expect(rig.send(3)).to.deep.equal({ 1: 3 });
    expect(rig.plan.isPanicking).to.equal(false);
    expect(rig.events.latest).to.deep.equal([]);
  });
});

describe('many endpoints', () => {
  it('are sorted out anew only so often, whatever flips how often; those that are lost get no calls meanwhile', () => {
    const instances = Array.from({ length: 1000 }, (_, n) => numbered(n));
    let made = 0;
    const rig = balanceRig(
      {
        factory: (endpoints, { random }) => {
          made++;
          return { pick: () => endpoints[Math.floor(random.next() * endpoints.length)] };
        },
      },
      ...instances,
    );
    rig.send(1);
    for (let n = 0; n < 300; n++) {
      rig.at(n).bar('breaker');
      const counts = rig.send(20);
      for (let gone = 0; gone <= n; gone++) expect(counts[gone]).to.equal(undefined);
    }
    expect(made).to.be.at.most(2);
    rig.time.advance(10);
    rig.send(1);
    rig.send(1);
    expect(made).to.be.at.most(3);
  });
});

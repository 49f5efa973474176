import { expect } from 'chai';
import fc from 'fast-check';
import { balanceRig, numbered } from '../testing/balance-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { PLAIN_RULES } from './steady-balancing.js';
import { sharesOf } from './tiers.js';

const HERE = { region: 'eu', zone: 'a' };
const zone = (n: number, name: string, region = 'eu') => numbered(n, { metadata: { region, zone: name } });

describe('shares of tiers', () => {
  it('are all of the first one while it has 1 / 1.4 of its endpoints', () => {
    expect(sharesOf([10, 10], [10, 10], 1.4).shares).to.deep.equal([1, 0]);
    expect(sharesOf([72, 10], [100, 10], 1.4).shares[0]).to.equal(1);
  });

  it('of the next one are what the first can no longer bear', () => {
    const { shares } = sharesOf([5, 10], [10, 10], 1.4);
    expect(shares[0]).to.be.closeTo(0.7, 1e-9);
    expect(shares[1]).to.be.closeTo(0.3, 1e-9);
  });

  it('are in proportion when all together do not bear the load', () => {
    const { shares, borne } = sharesOf([1, 2], [10, 10], 1.4);
    expect(borne).to.be.closeTo(0.42, 1e-9);
    expect(shares[1]).to.be.closeTo(2 / 3, 1e-9);
  });

  it('add up to 1 whenever anybody is fit, and give nothing to tiers without anybody', () => {
    const tier = fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })).map(([fit, out]) => ({ fit, all: fit + out + 1 }));
    fc.assert(
      fc.property(
        fc.array(tier, { minLength: 1, maxLength: 6 }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        (tiers, over) => {
          const fit = tiers.map((one) => one.fit);
          const { shares } = sharesOf(
            fit,
            tiers.map(({ all }) => all),
            over,
          );
          const total = shares.reduce((sum, share) => sum + share, 0);
          expect(total).to.be.closeTo(fit.some((count) => count > 0) ? 1 : 0, 1e-9);
          fit.forEach((count, index) => {
            if (count === 0) expect(shares[index]).to.equal(0);
          });
        },
      ),
    );
  });
});

describe('the filter zoneaware', () => {
  const near = { near: HERE };

  it('keeps calls in the own zone while it is well', () => {
    const rig = balanceRig(near, zone(1, 'a'), zone(2, 'a'), zone(3, 'b'), zone(4, 'a', 'us'));
    expect(rig.send(40)).to.deep.equal({ 1: 20, 2: 20 });
  });

  it('uses the own region when the own zone has nobody, and everybody when the region has nobody', () => {
    const rig = balanceRig(near, zone(3, 'b'), zone(4, 'b'), zone(5, 'a', 'us'));
    expect(Object.keys(rig.send(20))).to.deep.equal(['3', '4']);
    rig.publish(zone(5, 'a', 'us'), zone(6, 'c', 'us'));
    expect(Object.keys(rig.send(20))).to.deep.equal(['5', '6']);
  });

  it('sends so much of the load elsewhere as the own zone can no longer bear', () => {
    const rig = balanceRig(near, ...[1, 2, 3, 4].map((n) => zone(n, 'a')), ...[5, 6, 7, 8].map((n) => zone(n, 'b')));
    rig.at(1).bar('ejected');
    rig.at(2).bar('ejected');
    const counts = rig.send(4000);
    const local = (counts[3] ?? 0) + (counts[4] ?? 0);
    expect(local / 4000).to.be.closeTo(0.7, 0.04);
    expect(counts[1]).to.equal(undefined);
    rig.at(1).lift('ejected');
    rig.at(2).lift('ejected');
    expect(Object.keys(rig.send(100))).to.deep.equal(['1', '2', '3', '4']);
  });

  it('keeps a key at its endpoint, also where calls are spread over zones', () => {
    const hash = { ...PLAIN_RULES.hash, path: true };
    const rig = balanceRig(
      { ...near, strategy: 'RingHash', hash },
      ...[1, 2, 3].map((n) => zone(n, 'a')),
      ...[4, 5, 6].map((n) => zone(n, 'b')),
    );
    rig.at(1).bar('breaker');
    rig.at(2).bar('breaker');
    expect(Object.keys(rig.send(100))).to.have.lengthOf(1);
  });

  it('knows zones by the names that Kubernetes gives them', () => {
    const metadata = { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'eu' };
    const rig = balanceRig(near, numbered(1, { metadata }), zone(2, 'b'));
    expect(rig.send(10)).to.deep.equal({ 1: 10 });
  });

  it('takes all endpoints for alike when nobody says where this process runs', () => {
    const rig = balanceRig({ near: { region: undefined, zone: undefined } }, zone(1, 'a'), zone(2, 'b'));
    expect(rig.send(10)).to.deep.equal({ 1: 5, 2: 5 });
  });
});

describe('priorities', () => {
  const priority = (n: number, value: string) => numbered(n, { metadata: { priority: value } });

  it('keep endpoints in reserve until those before them can no longer bear the load', () => {
    const rig = balanceRig({}, priority(1, '0'), numbered(2), priority(3, '1'), priority(4, '1'));
    expect(Object.keys(rig.send(20))).to.deep.equal(['1', '2']);
    rig.at(1).bar('ejected');
    const counts = rig.send(4000);
    expect((counts[2] ?? 0) / 4000).to.be.closeTo(0.7, 0.04);
    rig.at(2).bar('ejected');
    expect(Object.keys(rig.send(20))).to.deep.equal(['3', '4']);
    expect(rig.events.latest.map(({ kind }) => kind)).to.deep.equal([]);
  });

  it('that are no whole numbers count as the first', () => {
    const rig = balanceRig({}, priority(1, 'high'), priority(2, '-3'), priority(3, '2'));
    expect(Object.keys(rig.send(20))).to.deep.equal(['1', '2']);
  });

  it('let a call go to the reserve when all before it were tried', () => {
    const rig = balanceRig({}, numbered(1), priority(2, '1'));
    const call = { endpoint: rig.at(1) };
    expect(rig.plan.pick(new FakeCall(), [call.endpoint])).to.equal(rig.at(2));
  });
});

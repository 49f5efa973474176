import { expect } from 'chai';
import fc from 'fast-check';
import { Endpoint } from '../../registry/endpoint.js';
import { FakeCall } from '../../testing/fake-call.js';
import { fakePorts } from '../../testing/fake-ports.js';
import { Gate } from '../gate.js';
import type { BalancerFactory } from '../load-balancer.js';
import { PLAIN_RULES } from '../steady-balancing.js';
import { HashKey } from './hash-key.js';
import { maglev, TABLE_SLOTS } from './maglev.js';
import { ringHash } from './ring-hash.js';

const KEY = new HashKey({ ...PLAIN_RULES.hash, header: 'x-user' }, fakePorts().random);

const KEYS = 2000;

function endpoints(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, index) => new Endpoint(`10.1.${index >> 8}.${index & 255}`, 80));
}

/** Where each of many keys goes. */
function placesOf(factory: BalancerFactory, all: readonly Endpoint[], gate = new Gate()): Endpoint[] {
  const balancer = factory(all, fakePorts(), gate);
  return Array.from(
    { length: KEYS },
    (_, user) => balancer.pick(new FakeCall({ headers: { 'x-user': `u${user}` } })) as Endpoint,
  );
}

const COUNT_AND_GONE = fc
  .integer({ min: 2, max: 60 })
  .chain((count) => fc.tuple(fc.constant(count), fc.nat({ max: count - 1 })));

for (const [name, factory] of [
  ['ring hash', ringHash(KEY)],
  ['Maglev', maglev(KEY)],
] as const) {
  describe(name, () => {
    it('sends a key to the same endpoint in every sidecar, in whatever order the registry lists them', () => {
      const all = endpoints(20);
      expect(placesOf(factory, [...all].reverse())).to.deep.equal(placesOf(factory, all));
    });

    it('takes the largest and the smallest weights that a registry may give', () => {
      for (const weights of [
        [Number.MAX_VALUE, Number.MAX_VALUE],
        [Number.MAX_VALUE, Number.MIN_VALUE],
      ]) {
        const all = endpoints(2);
        all.forEach((endpoint, index) => (endpoint.weight = weights[index] as number));
        expect(placesOf(factory, all)).to.include(all[0]).and.not.include(undefined);
      }
    });

    it('moves no key but those of an endpoint that takes no calls, and moves them back when it does again', () => {
      fc.assert(
        fc.property(COUNT_AND_GONE, ([count, gone]) => {
          const all = endpoints(count);
          const before = placesOf(factory, all);
          const lost = all[gone] as Endpoint;
          lost.bar('ejected');
          const during = placesOf(factory, all);
          before.forEach((endpoint, user) => {
            if (endpoint === lost) expect(during[user]).to.not.equal(lost);
            else expect(during[user]).to.equal(endpoint);
          });
          lost.lift('ejected');
          expect(placesOf(factory, all)).to.deep.equal(before);
        }),
        { numRuns: 15 },
      );
    });

    it('spreads the keys of an endpoint that takes no calls over the others', () => {
      const all = endpoints(10);
      const before = placesOf(factory, all);
      const lost = all[3] as Endpoint;
      lost.bar('breaker');
      const takers = new Set(placesOf(factory, all).filter((_, user) => before[user] === lost));
      expect(takers.size).to.be.at.least(8);
    });

    it('spreads all keys over the few endpoints that are left', () => {
      const all = endpoints(200);
      const left = [all[40], all[160]];
      for (const endpoint of all) if (!left.includes(endpoint)) endpoint.bar('breaker');
      const places = placesOf(factory, all);
      for (const endpoint of left) {
        expect(places.filter((place) => place === endpoint).length / KEYS).to.be.within(0.4, 0.6);
      }
    });

    it('sends a call elsewhere, always to the same one, after the endpoint of its key was tried', () => {
      const all = endpoints(10);
      const balancer = factory(all, fakePorts());
      const call = new FakeCall({ headers: { 'x-user': 'ann' } });
      const first = balancer.pick(call) as Endpoint;
      const second = balancer.pick(call, [first]);
      expect(second).to.not.equal(first);
      expect(balancer.pick(call, [first])).to.equal(second);
    });

    it('goes anywhere with calls that have nothing to hash', () => {
      const balancer = factory(endpoints(5), fakePorts());
      const reached = new Set(Array.from({ length: 200 }, () => balancer.pick(new FakeCall())));
      expect(reached.size).to.equal(5);
    });
  });
}

describe('the ring', () => {
  it('moves only the keys of an endpoint that leaves', () => {
    fc.assert(
      fc.property(COUNT_AND_GONE, ([count, gone]) => {
        const all = endpoints(count);
        const before = placesOf(ringHash(KEY), all);
        const after = placesOf(ringHash(KEY), all.toSpliced(gone, 1));
        before.forEach((endpoint, user) => {
          if (endpoint !== all[gone]) expect(after[user]).to.equal(endpoint);
        });
      }),
      { numRuns: 15 },
    );
  });
});

describe('the table of Maglev', () => {
  it('gives all endpoints of one weight the same number of slots to within one', () => {
    for (const count of [3, 100, 1000]) {
      const shares = maglev(KEY)(endpoints(count), fakePorts()).shares?.(new FakeCall()) ?? [];
      const slots = shares.map((share) => Math.round(share * TABLE_SLOTS));
      expect(Math.max(...slots) - Math.min(...slots)).to.be.at.most(1);
    }
  });

  it('moves few keys of others when an endpoint leaves: as many again as those of the endpoint at the most', () => {
    for (const count of [5, 20, 100]) {
      const all = endpoints(count);
      const before = placesOf(maglev(KEY), all);
      const after = placesOf(maglev(KEY), all.slice(1));
      const moved = before.filter((endpoint, user) => endpoint !== all[0] && after[user] !== endpoint).length;
      expect(moved / KEYS).to.be.below(Math.max(1.5 / count, 0.02));
    }
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { Endpoint } from '../registry/endpoint.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import type { LoadBalancer } from './load-balancer.js';
import { roundRobin } from './round-robin.js';

function endpoints(weights: readonly number[]): Endpoint[] {
  return weights.map((weight, index) => new Endpoint('10.0.0.1', 8000 + index, undefined, weight));
}

function pickMany(balancer: LoadBalancer, count: number): Endpoint[] {
  const call = new FakeCall();
  return Array.from({ length: count }, () => balancer.pick(call) as Endpoint);
}

describe('round robin', () => {
  it('answers undefined when there are no endpoints, again and again', () => {
    const balancer = roundRobin([], fakePorts());
    expect([balancer.pick(new FakeCall()), balancer.pick(new FakeCall())]).to.deep.equal([undefined, undefined]);
  });

  it('names each endpoint once in any stretch as long as the list, wherever it begins', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), fc.nat({ max: 60 }), (count, seed, skip) => {
        const all = endpoints(Array.from({ length: count }, () => 1));
        const balancer = roundRobin(all, fakePorts(seed));
        pickMany(balancer, skip);
        expect(new Set(pickMany(balancer, count)).size).to.equal(count);
      }),
    );
  });

  it('begins at a random endpoint, so that callers that start together spread', () => {
    const all = endpoints([1, 1, 1, 1]);
    const firsts = new Set(Array.from({ length: 50 }, (_, seed) => pickMany(roundRobin(all, fakePorts(seed)), 1)[0]));
    expect(firsts.size).to.equal(4);
  });

  it('does not look at the amount of a weight that all have', () => {
    const all = endpoints([7, 7, 7]);
    const balancer = roundRobin(all, fakePorts());
    expect(new Set(pickMany(balancer, 3)).size).to.equal(3);
  });
});

describe('weighted round robin', () => {
  const weight = fc.oneof(
    fc.integer({ min: 1, max: 1_000 }),
    fc.double({ min: 0.001, max: 1_000, noNaN: true }),
    fc.constantFrom(1, 2, 100),
  );

  it('keeps every share exact to within the stated bound, after any number of picks', () => {
    fc.assert(
      fc.property(fc.array(weight, { minLength: 2, maxLength: 12 }), fc.nat(), (weights, seed) => {
        const all = endpoints(weights);
        const balancer = roundRobin(all, fakePorts(seed));
        const total = weights.reduce((sum, one) => sum + one, 0);
        const counts = new Map<Endpoint, number>();
        for (let picks = 1; picks <= 300; picks++) {
          const picked = balancer.pick(new FakeCall()) as Endpoint;
          counts.set(picked, (counts.get(picked) ?? 0) + 1);
          for (const one of all) {
            const share = one.weight / total;
            const bound = 1 + all.length * share + 1e-6;
            expect(Math.abs((counts.get(one) ?? 0) - picks * share), `${picks} picks`).to.be.at.most(bound);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('interleaves: with weights 3 and 1 the light one is named once in any four picks', () => {
    const [heavy, light] = endpoints([3, 1]) as [Endpoint, Endpoint];
    for (let seed = 0; seed < 20; seed++) {
      const picked = pickMany(roundRobin([heavy, light], fakePorts(seed)), 40);
      for (let from = 0; from + 4 <= picked.length; from++) {
        expect(picked.slice(from, from + 4).filter((one) => one === light).length).to.equal(1);
      }
    }
  });

  it('keeps to the weights of its set when the weight of an endpoint changes afterwards', () => {
    const [heavy, light] = endpoints([3, 1]) as [Endpoint, Endpoint];
    const balancer = roundRobin([heavy, light], fakePorts());
    heavy.weight = 1;
    expect(pickMany(balancer, 40).filter((one) => one === heavy)).to.have.lengthOf(30);
  });

  it('stays sound with weights that no number can tell apart in a sum', () => {
    const all = endpoints([Number.MAX_VALUE, 1, Number.MIN_VALUE]);
    const picked = pickMany(roundRobin(all, fakePorts()), 1_000);
    expect(picked.filter((one) => one === all[0]).length).to.be.at.least(998);
  });

  // Looking at every endpoint for each pick would be 2 * 10^10 steps, and the test would not end in time.
  it('finds the next of 100,000 endpoints without looking at all of them', () => {
    const count = 100_000;
    const all = endpoints(Array.from({ length: count }, (_, index) => 1 + (index % 2)));
    const balancer = roundRobin(all, fakePorts());
    expect(new Set(pickMany(balancer, 2 * count)).size).to.equal(count);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { steadyBalancing, type SteadySettings } from '../loadbalance/steady-balancing.js';
import type { Ports } from '../ports/ports.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { Availability } from './availability.js';
import { Candidates } from './candidates.js';
import { Endpoint } from './endpoint.js';

const CALL = new FakeCall();

/** Endpoints of one service, with what counts their coming and going. */
function endpoints(...weights: number[]): Endpoint[] {
  const availability = new Availability();
  return weights.map((weight, index) => new Endpoint('10.0.0.1', 8000 + index, undefined, weight, availability));
}

function candidatesOf(all: readonly Endpoint[], ports: Ports = fakePorts(), settings: SteadySettings = {}): Candidates {
  const balancing = steadyBalancing(ports, settings);
  const { reports } = balancing;
  const availability = all[0]?.availability ?? new Availability();
  const owner = { service: 'world', set: 'http', ports, availability, reports, panicking: new Set<string>() };
  return new Candidates(all, balancing.of('world'), owner);
}

/** Puts an endpoint to rest as the executor does. */
function rest(endpoint: Endpoint, until: number): void {
  endpoint.connectFailures = 1;
  endpoint.restMs = 100;
  endpoint.restingUntil = until;
}

function countPicks(candidates: Candidates, picks: number): Map<Endpoint, number> {
  const counts = new Map<Endpoint, number>();
  for (let i = 0; i < picks; i++) {
    const picked = candidates.pick(CALL, undefined) as Endpoint;
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return counts;
}

describe('candidates', () => {
  it('answer undefined when there are none', () => {
    expect(candidatesOf([], fakePorts()).pick(CALL, undefined)).to.equal(undefined);
    expect(candidatesOf([], fakePorts()).pick(CALL, [])).to.equal(undefined);
  });

  it('pass over an endpoint that rests, and spread its share over all others evenly', () => {
    const [a, b, c] = endpoints(1, 1, 1) as [Endpoint, Endpoint, Endpoint];
    const candidates = candidatesOf([a, b, c], fakePorts());
    candidates.pick(CALL, undefined);
    rest(b, 1_000);
    const counts = countPicks(candidates, 100);
    expect([counts.get(a), counts.get(b), counts.get(c)]).to.deep.equal([50, undefined, 50]);
  });

  it('keep the weights of the others while one rests', () => {
    const [a, b, c] = endpoints(6, 3, 1) as [Endpoint, Endpoint, Endpoint];
    const candidates = candidatesOf([a, b, c], fakePorts());
    rest(a, 1_000);
    const counts = countPicks(candidates, 400);
    expect(counts.get(a)).to.equal(undefined);
    expect(counts.get(b)).to.be.within(298, 302);
  });

  it('pass over an endpoint that rests already when they are put together, as after a new snapshot', () => {
    const [a, b] = endpoints(1, 1) as [Endpoint, Endpoint];
    rest(a, 1_000);
    const counts = countPicks(candidatesOf([a, b], fakePorts()), 10);
    expect(counts.get(b)).to.equal(10);
  });

  it('let one call through when a rest is over, and no second one until that is decided or another rest is over', () => {
    const { time, ...ports } = fakePorts();
    const [a, b] = endpoints(1, 1) as [Endpoint, Endpoint];
    const candidates = candidatesOf([a, b], ports);
    rest(a, 1_000);
    time.advance(999);
    expect(countPicks(candidates, 10).get(a)).to.equal(undefined);
    time.advance(1);
    expect(candidates.pick(CALL, undefined)).to.equal(a);
    expect(a.probing).to.equal(true);
    expect(countPicks(candidates, 10).get(a)).to.equal(undefined);
    time.advance(100);
    expect(candidates.pick(CALL, undefined)).to.equal(a);
  });

  it('give an endpoint its full share again once it was reached', () => {
    const [a, b] = endpoints(1, 1) as [Endpoint, Endpoint];
    const candidates = candidatesOf([a, b], fakePorts());
    rest(a, 1_000);
    countPicks(candidates, 4);
    a.restingUntil = 0;
    expect(countPicks(candidates, 10).get(a)).to.equal(5);
  });

  it('use all of them in turn when all rest: a failed attempt is better than none', () => {
    const [a, b] = endpoints(1, 1) as [Endpoint, Endpoint];
    const candidates = candidatesOf([a, b], fakePorts());
    rest(a, 1_000);
    rest(b, 1_000);
    const counts = countPicks(candidates, 10);
    expect([counts.get(a), counts.get(b)]).to.deep.equal([5, 5]);
  });

  it('name the only endpoint even while it rests', () => {
    const [only] = endpoints(1) as [Endpoint];
    const candidates = candidatesOf([only], fakePorts());
    rest(only, 1_000);
    expect(candidates.pick(CALL, undefined)).to.equal(only);
  });

  it('do not name an endpoint that was tried, and say so when all were', () => {
    const [a, b] = endpoints(1, 1) as [Endpoint, Endpoint];
    const candidates = candidatesOf([a, b], fakePorts());
    for (let i = 0; i < 5; i++) expect(candidates.pick(CALL, [a])).to.equal(b);
    expect(candidates.pick(CALL, [a, b])).to.equal(undefined);
  });

  it('find the endpoint that was not tried beside one that has nearly all of the weight', () => {
    const [heavy, light] = endpoints(1_000_000, 1) as [Endpoint, Endpoint];
    const candidates = candidatesOf([heavy, light], fakePorts());
    expect(candidates.pick(CALL, [heavy])).to.equal(light);
  });

  it('prefer a resting endpoint to one that was tried, and the one whose rest ends first', () => {
    const [a, b, c] = endpoints(1, 1, 1) as [Endpoint, Endpoint, Endpoint];
    const candidates = candidatesOf([a, b, c], fakePorts());
    rest(b, 2_000);
    rest(c, 1_000);
    expect(candidates.pick(CALL, [a])).to.equal(c);
  });

  it('name an endpoint that was not tried whenever there is one, whatever rests', () => {
    const facts = fc.record({ weight: fc.integer({ min: 1, max: 50 }), rests: fc.boolean(), tried: fc.boolean() });
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 10 }), fc.nat(), (list, seed) => {
        const all = endpoints(...list.map(({ weight }) => weight));
        const candidates = candidatesOf(all, fakePorts(seed));
        list.forEach(({ rests }, index) => {
          if (rests) rest(all[index] as Endpoint, 500);
        });
        const tried = all.filter((_, index) => list[index]?.tried);
        const free = all.filter((_, index) => !list[index]?.tried);
        const awake = free.filter((one) => one.restingUntil === 0);
        const picked = candidates.pick(CALL, tried);
        if (awake.length > 0) expect(awake).to.include(picked);
        else if (free.length > 0) expect(free).to.include(picked);
        else expect(picked).to.equal(undefined);
      }),
    );
  });
});

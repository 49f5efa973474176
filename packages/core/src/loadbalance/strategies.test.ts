import { expect } from 'chai';
import fc from 'fast-check';
import { Availability } from '../registry/availability.js';
import { Candidates } from '../registry/candidates.js';
import { Endpoint } from '../registry/endpoint.js';
import { isMeshError } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { PLAIN_RULES, steadyBalancing, type SteadySettings } from './steady-balancing.js';

const BY_HEADER = { ...PLAIN_RULES.hash, header: 'x-user' };

/** Every strategy, with what it needs; those by hash get another key with each call. */
const ALL: readonly SteadySettings[] = [
  'RoundRobin',
  'Random',
  'WeightedResponse',
  'SessionStickiness',
  'LeastRequest',
  'PeakEWMA',
  'RingHash',
  'Maglev',
].map((strategy) => ({ strategy, hash: BY_HEADER }));

function candidatesOf(weights: readonly number[], settings: SteadySettings, seed = 1): Candidates {
  const ports = fakePorts(seed);
  const availability = new Availability();
  const endpoints = weights.map(
    (weight, index) => new Endpoint(`10.0.${index >> 8}.${index & 255}`, 8000, undefined, weight, availability),
  );
  const balancing = steadyBalancing(ports, settings);
  const { reports } = balancing;
  return new Candidates(endpoints, balancing.of('world'), {
    service: 'world',
    set: 'http',
    ports,
    availability,
    reports,
    panicking: new Set(),
  });
}

/** Share of each endpoint in calls of as many users. */
function sharesOf(candidates: Candidates, calls: number): number[] {
  const counts = new Map<Endpoint, number>();
  for (let user = 0; user < calls; user++) {
    const endpoint = candidates.pick(new FakeCall({ headers: { 'x-user': `user-${user}` } }), undefined) as Endpoint;
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  }
  return candidates.endpoints.map((endpoint) => (counts.get(endpoint) ?? 0) / calls);
}

/** How far the share of a ring may be from the weight, as a part of it: its points stand where they stand. */
const RING_SLACK = 0.45;

describe('every strategy', () => {
  for (const settings of ALL) {
    const slack = settings.strategy === 'RingHash' ? RING_SLACK : 0;

    it(`gives each endpoint a share by its weight: ${settings.strategy}`, () => {
      const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(weights, fc.nat(), (list, seed) => {
          const calls = 3000;
          const total = list.reduce((sum, weight) => sum + weight, 0);
          sharesOf(candidatesOf(list, settings, seed), calls).forEach((share, index) => {
            const wanted = (list[index] as number) / total;
            // Five standard deviations of a draw, so that a fair strategy fails once in a million.
            const chance = 5 * Math.sqrt((wanted * (1 - wanted)) / calls);
            expect(share).to.be.closeTo(wanted, chance + slack * wanted + 1e-3);
          });
        }),
        { numRuns: 25 },
      );
    });

    it(`spreads the share of those that take no calls over all others by weight: ${settings.strategy}`, () => {
      const facts = fc.record({ weight: fc.integer({ min: 1, max: 4 }), out: fc.constantFrom('', '', 'rest', 'bar') });
      fc.assert(
        fc.property(fc.array(facts, { minLength: 4, maxLength: 20 }), fc.nat(), (list, seed) => {
          const calls = 2000;
          const candidates = candidatesOf(
            list.map(({ weight }) => weight),
            { ...settings, panicThreshold: 0 },
            seed,
          );
          list.forEach(({ out }, index) => {
            const endpoint = candidates.endpoints[index] as Endpoint;
            if (out === 'bar') endpoint.bar('breaker');
            if (out === 'rest') endpoint.restingUntil = 1000;
          });
          const left = list.reduce((sum, { weight, out }) => (out === '' ? sum + weight : sum), 0);
          fc.pre(left > 0);
          sharesOf(candidates, calls).forEach((share, index) => {
            const { weight, out } = list[index] as { weight: number; out: string };
            if (out !== '') expect(share).to.equal(0);
            else {
              const wanted = weight / left;
              const chance = 5 * Math.sqrt((wanted * (1 - wanted)) / calls);
              expect(share).to.be.closeTo(wanted, chance + 1.5 * slack * wanted + 2e-3);
            }
          });
        }),
        { numRuns: 25 },
      );
    });

    it(`reaches all of 200 endpoints, and none too often: ${settings.strategy}`, () => {
      const shares = sharesOf(
        candidatesOf(
          Array.from({ length: 200 }, () => 1),
          settings,
        ),
        40_000,
      );
      expect(Math.min(...shares)).to.be.above(0.0025);
      expect(Math.max(...shares)).to.be.below(0.01);
    });

    it(`says shares that it keeps: ${settings.strategy}`, () => {
      const candidates = candidatesOf([4, 1, 2, 1], settings);
      const call = new FakeCall();
      const [tier] = candidates.describe(call);
      const said = candidates.endpoints.map((endpoint) => tier?.picks?.get(endpoint) ?? 0);
      expect(said.reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-9);
      const seen = sharesOf(candidates, 20_000);
      said.forEach((share, index) => expect(seen[index]).to.be.closeTo(share, 0.02));
    });

    it(`names none of those that were tried while there is another: ${settings.strategy}`, () => {
      const candidates = candidatesOf([1, 100, 1, 1], settings);
      const tried = candidates.endpoints.slice(1, 3);
      for (let user = 0; user < 50; user++) {
        const call = new FakeCall({ headers: { 'x-user': `user-${user}` } });
        expect(tried).to.not.include(candidates.pick(call, tried));
      }
    });

    it(`picks nothing where there is nothing: ${settings.strategy}`, () => {
      expect(candidatesOf([], settings).pick(new FakeCall(), undefined)).to.equal(undefined);
    });
  }
});

describe('the name of a strategy', () => {
  const nameOf = (strategy: string): string =>
    steadyBalancing(fakePorts(), { strategy, hash: BY_HEADER }).of('world').strategy.name;

  it('may be written in any case, and with its words parted', () => {
    const names = ['leastrequest', 'LEAST_REQUEST', 'least-request', 'LeastRequest'].map(nameOf);
    expect(new Set(names)).to.deep.equal(new Set(['LeastRequest']));
    expect([nameOf('peak-ewma'), nameOf('round_robin')]).to.deep.equal(['PeakEWMA', 'RoundRobin']);
  });

  it('that nobody knows is refused, naming the known ones', () => {
    try {
      nameOf('Fastest');
      expect.fail('it was accepted');
    } catch (error) {
      expect(isMeshError(error, 'MESH_ERR_UNKNOWN_STRATEGY')).to.equal(true);
      expect((error as Error).message)
        .to.include("'Fastest'")
        .and.to.include('WeightedResponse')
        .and.to.include('Maglev');
    }
  });

  it('of one that hashes is refused when there is nothing to hash', () => {
    const make = (): unknown => steadyBalancing(fakePorts(), { strategy: 'Maglev' }).of('world');
    expect(make).to.throw('needs something to hash');
  });
});

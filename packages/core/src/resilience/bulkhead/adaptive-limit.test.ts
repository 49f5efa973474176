import { expect } from 'chai';
import type { AdaptiveValues } from '../../config/sections/isolation.js';
import { SeededRandom } from '../../testing/fake-ports.js';
import { AdaptiveLimit } from './adaptive-limit.js';

const VALUES: AdaptiveValues = {
  enabled: true,
  minLimit: 5,
  maxLimit: 1000,
  initialLimit: 20,
  tolerance: 1.5,
  sampleWindowInMilliseconds: 500,
  baselineWindowInMilliseconds: 60_000,
};

/** A service that works at so many calls at once; further ones wait their turn in it. */
interface Service {
  capacity: number;
  workMs: number;
}

/**
 * Callers that always ask for more than they get, against such a service: time goes on from the end of one call to the end of the next.
 * A place that is free is taken at once; all of them share the capacity.
 */
function simulate(limit: AdaptiveLimit, service: Service, fromMs: number, lengthMs: number, wanted = Infinity): number {
  const random = new SeededRandom(7);
  let now = fromMs;
  while (now < fromMs + lengthMs) {
    const inFlight = Math.min(limit.limit, wanted);
    const durationMs = service.workMs * Math.max(1, inFlight / service.capacity) * (0.9 + 0.2 * random.next());
    now += durationMs / inFlight;
    limit.observe(durationMs, inFlight, now);
  }
  return now;
}

describe('an adaptive limit', () => {
  it('finds what a service can take, from below', () => {
    const limit = new AdaptiveLimit(VALUES);
    simulate(limit, { capacity: 100, workMs: 20 }, 1, 30_000);
    expect(limit.limit).to.be.within(100, 190);
  });

  it('finds it from above', () => {
    const limit = new AdaptiveLimit({ ...VALUES, initialLimit: 15 });
    const service = { capacity: 100, workMs: 20 };
    const now = simulate(limit, service, 1, 30_000);
    service.capacity = 10;
    simulate(limit, service, now, 10_000);
    expect(limit.limit).to.be.within(10, 30);
  });

  it('falls to the lowest value within seconds when the service becomes slow, and comes back when it recovers', () => {
    const limit = new AdaptiveLimit(VALUES);
    const service = { capacity: 100, workMs: 20 };
    let now = simulate(limit, service, 1, 30_000);
    service.workMs = 400;
    now = simulate(limit, service, now, 8_000);
    expect(limit.limit).to.be.at.most(10);
    service.workMs = 20;
    simulate(limit, service, now, 20_000);
    expect(limit.limit).to.be.within(100, 190);
  });

  it('comes to terms with a service that has become slower for good', () => {
    const limit = new AdaptiveLimit(VALUES);
    const service = { capacity: 100, workMs: 20 };
    const now = simulate(limit, service, 1, 30_000);
    service.workMs = 100;
    simulate(limit, service, now, 240_000);
    expect(limit.limit).to.be.within(100, 190);
    expect(limit.bestMs).to.be.within(90, 115);
  });

  it('does not drift upwards with the waiting that it causes itself, in an hour', () => {
    const limit = new AdaptiveLimit(VALUES);
    const service = { capacity: 50, workMs: 100 };
    let now = 1;
    const limits: number[] = [];
    for (let minute = 0; minute < 60; minute++) {
      now = simulate(limit, service, now, 60_000);
      limits.push(limit.limit);
    }
    expect(Math.max(...limits.slice(2))).to.be.at.most(110);
    expect(limit.bestMs).to.be.within(95, 115);
  });

  it('does not grow while nobody asks for more', () => {
    const limit = new AdaptiveLimit(VALUES);
    simulate(limit, { capacity: 100, workMs: 20 }, 1, 60_000, 5);
    expect(limit.limit).to.equal(20);
  });

  it('stays within its bounds, whatever comes, and takes over others', () => {
    const limit = new AdaptiveLimit({ ...VALUES, maxLimit: 40 });
    simulate(limit, { capacity: 1000, workMs: 20 }, 1, 30_000);
    expect(limit.limit).to.equal(40);
    limit.adopt({ ...VALUES, maxLimit: 30 });
    expect(limit.limit).to.equal(30);
    limit.adopt({ ...VALUES, minLimit: 35, maxLimit: 50 });
    expect(limit.limit).to.equal(35);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Outcome } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import { Endpoint } from '../registry/endpoint.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { learnPeak } from './latency.js';
import { leastRequest } from './least-request.js';
import { peakEwma } from './peak-ewma.js';
import { weightedResponse } from './weighted-response.js';

const CALL = new FakeCall();
const DECAY_MS = 10_000;

function endpoints(...loads: number[]): Endpoint[] {
  return loads.map((inFlight, index) => Object.assign(new Endpoint('10.0.0.1', 8000 + index), { inFlight }));
}

/** Ports whose chance is a list: what was drawn can be told. */
function scripted(...values: number[]): Ports {
  let next = 0;
  return { ...fakePorts(), random: { next: () => values[next++ % values.length] as number } };
}

describe('least request', () => {
  it('never picks the more loaded one of the two that it drew', () => {
    const load = fc.array(fc.nat({ max: 20 }), { minLength: 2, maxLength: 30 });
    const draw = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(load, draw, draw, (loads, one, other) => {
        const all = endpoints(...loads);
        const first = all[Math.floor(one * all.length)] as Endpoint;
        const second = all[Math.floor(other * all.length)] as Endpoint;
        fc.pre(first !== second);
        const picked = leastRequest(all, scripted(one, other)).pick(CALL) as Endpoint;
        expect([first, second]).to.include(picked);
        expect(picked.inFlight).to.equal(Math.min(first.inFlight, second.inFlight));
      }),
    );
  });

  it('measures the load by the weight: twice as heavy, twice as many', () => {
    const all = endpoints(3, 2);
    (all[0] as Endpoint).weight = 2;
    const picked = Array.from({ length: 20 }, (_, seed) => leastRequest(all, fakePorts(seed + 1)).pick(CALL));
    expect(new Set(picked)).to.deep.equal(new Set([all[0]]));
  });

  it('keeps calls even over endpoints of which one answers ten times as slowly', () => {
    const all = endpoints(0, 0, 0, 0);
    const balancer = leastRequest(all, fakePorts());
    const ends: { at: number; endpoint: Endpoint }[] = [];
    for (let now = 0; now < 20_000; now++) {
      for (const { endpoint } of ends.filter(({ at }) => at === now)) endpoint.inFlight--;
      const endpoint = balancer.pick(CALL) as Endpoint;
      endpoint.inFlight++;
      ends.push({ at: now + (endpoint === all[0] ? 100 : 10), endpoint });
      if (ends.length > 2000) ends.splice(0, 1000);
    }
    expect(Math.max(...all.map(({ inFlight }) => inFlight))).to.be.below(16);
  });
});

describe('peak EWMA', () => {
  const { factory, learn } = peakEwma(DECAY_MS);

  it('prefers the faster of two that wait for as much', () => {
    const [slow, fast] = endpoints(1, 1) as [Endpoint, Endpoint];
    learnPeak(slow, 100, 0, DECAY_MS);
    learnPeak(fast, 10, 0, DECAY_MS);
    for (let seed = 1; seed < 20; seed++) expect(factory([slow, fast], fakePorts(seed)).pick(CALL)).to.equal(fast);
  });

  it('prefers the slower one when the faster one has too much to do', () => {
    const [slow, fast] = endpoints(0, 20) as [Endpoint, Endpoint];
    learnPeak(slow, 100, 0, DECAY_MS);
    learnPeak(fast, 10, 0, DECAY_MS);
    expect(factory([slow, fast], fakePorts()).pick(CALL)).to.equal(slow);
  });

  it('believes a peak at once and forgets it with time', () => {
    const [one] = endpoints(0) as [Endpoint];
    for (let now = 0; now < 100; now++) learnPeak(one, 10, now, DECAY_MS);
    learnPeak(one, 500, 100, DECAY_MS);
    expect(one.latencyMs).to.equal(500);
    for (let now = 101; now < 60_000; now += 100) learnPeak(one, 10, now, DECAY_MS);
    expect(one.latencyMs).to.be.within(10, 15);
  });

  it('tries a slow endpoint again after it had nothing to do for long', () => {
    const { time, ...ports } = fakePorts();
    const [slow, fast] = endpoints(0, 0) as [Endpoint, Endpoint];
    learnPeak(slow, 1000, 0, DECAY_MS);
    const balancer = factory([slow, fast], ports);
    time.advance(60_000);
    learnPeak(fast, 10, 60_000, DECAY_MS);
    expect(balancer.pick(CALL)).to.equal(slow);
  });

  it('does not take an endpoint for fast that refuses everything at once', () => {
    const [one] = endpoints(0) as [Endpoint];
    learn?.(one, { status: 503, code: undefined, aborted: false, durationMs: 1 }, 0);
    expect(one.latencyMs).to.be.at.least(1000);
  });
});

describe('the duration of an attempt', () => {
  const { learn } = peakEwma(DECAY_MS);
  const of = (facts: Partial<Outcome>): Outcome => ({
    status: 200,
    code: undefined,
    aborted: false,
    durationMs: 10,
    ...facts,
  });

  it('that was given up counts when it is more than was known: it would have taken longer still', () => {
    const [one] = endpoints(0) as [Endpoint];
    learn?.(one, of({}), 0);
    learn?.(one, of({ aborted: true, durationMs: 5 }), 1);
    expect(one.latencyMs).to.equal(10);
    learn?.(one, of({ aborted: true, durationMs: 500 }), 2);
    expect(one.latencyMs).to.equal(500);
  });

  it('on a connection that turned out to hold requests says how long its client kept silent, and counts for nothing', () => {
    const [one] = endpoints(0) as [Endpoint];
    learn?.(one, of({ aborted: true, superseded: true, durationMs: 60_000 }), 0);
    expect(one.latencyMs).to.equal(0);
  });

  it('that became another protocol counts for nothing', () => {
    const [one] = endpoints(0) as [Endpoint];
    learn?.(one, of({ status: 101, durationMs: 3_600_000 }), 0);
    expect(one.latencyMs).to.equal(0);
  });
});

describe('weighted response', () => {
  const { factory, learn } = weightedResponse(DECAY_MS);
  const answer = (durationMs: number) => ({ status: 200, code: undefined, aborted: false, durationMs });

  it('gives shares in inverse proportion to the durations', () => {
    const all = endpoints(0, 0, 0);
    [10, 20, 40].forEach((durationMs, index) => learn?.(all[index] as Endpoint, answer(durationMs), 0));
    const shares = factory(all, fakePorts()).shares?.(CALL) ?? [];
    [4 / 7, 2 / 7, 1 / 7].forEach((share, index) => expect(shares[index]).to.be.closeTo(share, 1e-9));
  });

  it('takes the largest weight that a registry may give', () => {
    const all = endpoints(0, 0);
    for (const endpoint of all) {
      endpoint.weight = Number.MAX_VALUE;
      learn?.(endpoint, answer(0.1), 0);
    }
    expect(factory(all, fakePorts()).shares?.(CALL)).to.deep.equal([0.5, 0.5]);
  });

  it('takes over new durations a second later, and not before', () => {
    const { time, ...ports } = fakePorts();
    const all = endpoints(0, 0);
    const balancer = factory(all, ports);
    balancer.pick(CALL);
    learn?.(all[0] as Endpoint, answer(10), 0);
    learn?.(all[1] as Endpoint, answer(30), 0);
    time.advance(999);
    balancer.pick(CALL);
    expect(balancer.shares?.(CALL)?.[0]).to.be.closeTo(0.5, 1e-9);
    time.advance(1);
    balancer.pick(CALL);
    expect(balancer.shares?.(CALL)?.[0]).to.be.closeTo(0.75, 1e-9);
  });

  it('goes on asking the slowest: it may be fast again', () => {
    const all = endpoints(0, 0);
    learn?.(all[0] as Endpoint, answer(1), 0);
    learn?.(all[1] as Endpoint, answer(60_000), 0);
    expect(factory(all, fakePorts()).shares?.(CALL)?.[1]).to.be.within(0.015, 0.025);
  });
});

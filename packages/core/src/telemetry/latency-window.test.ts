import { expect } from 'chai';
import { fakePorts } from '../testing/fake-ports.js';
import { CallMetrics } from './call-metrics.js';
import { LatencyWindow } from './latency-window.js';

const FIVE_MINUTES = 5 * 60_000;

function setUp() {
  const { time, clock } = fakePorts();
  const metrics = new CallMetrics();
  const slot = metrics.slotFor('outbound', 'world');
  return { time, metrics, slot, window: new LatencyWindow(metrics, 'outbound', clock) };
}

describe('LatencyWindow', () => {
  it('interpolates within a bucket as histogram_quantile() does', () => {
    const { metrics, slot, window } = setUp();
    for (let call = 0; call < 100; call++) metrics.record(slot, 200, 150, false); // bucket 100 ms to 250 ms
    const [median = 0, high = 0] = window.quantilesOf(slot, [0.5, 1]) ?? [];
    expect(median).to.be.closeTo(0.175, 1e-9);
    expect(high).to.be.closeTo(0.25, 1e-9);
  });

  it('finds the bucket of a quantile across buckets and status classes', () => {
    const { metrics, slot, window } = setUp();
    for (let call = 0; call < 90; call++) metrics.record(slot, 200, 0.4, false);
    for (let call = 0; call < 10; call++) metrics.record(slot, 503, 8000, false);
    const [median = 0, tail = 0] = window.quantilesOf(slot, [0.5, 0.99]) ?? [];
    expect(median).to.be.within(0, 0.0005);
    expect(tail).to.be.within(5, 10);
  });

  it('answers with the highest bound for what lies above it', () => {
    const { metrics, slot, window } = setUp();
    metrics.record(slot, 200, 500_000, false);
    expect(window.quantilesOf(slot, [0.5])).to.deep.equal([60]);
  });

  it('forgets what is older than ten minutes', () => {
    const { time, metrics, slot, window } = setUp();
    metrics.record(slot, 200, 8000, false);
    time.advance(FIVE_MINUTES);
    window.advance();
    expect(window.quantilesOf(slot, [0.5])).not.to.equal(undefined);
    time.advance(FIVE_MINUTES);
    window.advance();
    expect(window.quantilesOf(slot, [0.5])).to.equal(undefined);
    metrics.record(slot, 200, 0.4, false);
    expect(window.quantilesOf(slot, [1])?.[0]).to.be.closeTo(0.0005, 1e-9);
  });

  it('counts a service that came after the copy from its start', () => {
    const { time, metrics, window } = setUp();
    for (let turn = 0; turn < 2; turn++) {
      time.advance(FIVE_MINUTES);
      window.advance();
    }
    const late = metrics.slotFor('outbound', 'late');
    metrics.record(late, 200, 0.4, false);
    expect(window.quantilesOf(late, [0.5])).not.to.equal(undefined);
  });
});

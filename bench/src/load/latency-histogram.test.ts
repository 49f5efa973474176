import { expect } from 'chai';
import { LatencyHistogram } from './latency-histogram.js';

describe('LatencyHistogram', () => {
  it('answers the upper edge of the bucket in which the share is reached', () => {
    const histogram = new LatencyHistogram();
    for (let micros = 100; micros < 1_100; micros += 10) histogram.record(micros);
    expect(histogram.percentile(0.5)).to.equal(600);
    expect(histogram.percentile(0.99)).to.equal(1_090);
    expect(histogram.percentile(1)).to.equal(1_100);
  });

  it('keeps latencies above its range in the last bucket instead of losing them', () => {
    const histogram = new LatencyHistogram();
    histogram.record(60_000_000);
    expect(histogram.percentile(0.5)).to.equal(1_000_010);
  });

  it('answers 0 when nothing was recorded', () => {
    expect(new LatencyHistogram().percentile(0.99)).to.equal(0);
  });
});

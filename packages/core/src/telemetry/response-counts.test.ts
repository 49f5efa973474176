import { expect } from 'chai';
import { IgnoredPaths } from './tracing/ignored-paths.js';
import { ResponseCounts } from './response-counts.js';

describe('counts of answers by status', () => {
  const inbound = { direction: 'inbound', path: '/orders?id=1' } as const;
  const outbound = { direction: 'outbound', path: '/stock' } as const;
  const seen = (counts: ResponseCounts): string[] =>
    [...counts].map(({ labels, count }) => `${labels.direction} ${labels.status} ${count}`);

  it('are exact, and apart for the two directions', () => {
    const counts = new ResponseCounts();
    for (const status of [200, 204, 200]) counts.count(status, inbound);
    counts.count(503, outbound);
    expect(seen(counts)).to.deep.equal(['inbound 200 2', 'inbound 204 1', 'outbound 503 1']);
  });

  it('leave out what was not answered, and what is no status', () => {
    const counts = new ResponseCounts();
    for (const status of [0, 99, 600, Number.NaN, -1]) counts.count(status, inbound);
    expect(seen(counts)).to.deep.equal([]);
  });

  it('leave out ignored paths', () => {
    const counts = new ResponseCounts();
    counts.ignore(new IgnoredPaths(['/health', '/orders']));
    counts.count(200, inbound);
    counts.count(200, { direction: 'inbound', path: '/health' });
    counts.count(200, outbound);
    expect(seen(counts)).to.deep.equal(['outbound 200 1']);
  });

  it('keep the labels of a series as one object, so that a scrape need not print them again', () => {
    const counts = new ResponseCounts();
    counts.count(200, inbound);
    const [first] = counts;
    const [second] = counts;
    expect(first?.labels).to.equal(second?.labels);
  });
});

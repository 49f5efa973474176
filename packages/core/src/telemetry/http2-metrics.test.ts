import { expect } from 'chai';
import { findSamples, sampleValue } from '../testing/prometheus-samples.js';
import { parsePrometheusText, type PrometheusFamily } from '../testing/prometheus-text.js';
import { http2Families, type Http2Numbers, type Http2StatsSource } from './http2-metrics.js';
import { MetricsPage } from './metrics-page.js';

async function render(...sources: Http2StatsSource[]): Promise<ReadonlyMap<string, PrometheusFamily>> {
  return parsePrometheusText((await new MetricsPage(http2Families(sources)).render()).body);
}

function numbers(): Http2Numbers {
  return {
    downstream: { open: 1, streams: 2 },
    resetsReceived: 3,
    resetsSent: 4,
    upstream: {
      ...{ connecting: 5, open: 6, draining: 7, streams: 8, waiting: 9 },
      ...{ replayed: 10, refused: 11, goaways: 12, unanswered: 13 },
    },
    bufferedBytes: 14,
    violations: new Map([
      ['rapid-reset', 15],
      ['ping-flood', 16],
    ]),
  };
}

describe('the metrics of HTTP/2', () => {
  it('show every number once', async () => {
    const families = await render({ direction: 'both', read: numbers });
    const shown = [...families.values()].flatMap(({ samples }) => samples.map(({ value }) => value));
    expect(shown.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 16 }, (_, index) => index + 1));
  });

  it('tell sides, states, who ended a call, and kinds of violations apart', async () => {
    const families = await render({ direction: 'both', read: numbers });
    const value = (name: string, labels: Record<string, string>) =>
      sampleValue(families.get(`mesher_http2_${name}`), { direction: 'both', ...labels });
    expect(value('connections_open', { side: 'downstream', state: 'open' })).to.equal(1);
    expect(value('connections_open', { side: 'upstream', state: 'draining' })).to.equal(7);
    expect(value('streams_open', { side: 'upstream' })).to.equal(8);
    expect(value('resets_total', { by: 'peer' })).to.equal(3);
    expect(value('violations_total', { kind: 'ping-flood' })).to.equal(16);
  });

  it('are read anew at each scrape, and apart for each proxy', async () => {
    let waiting = 0;
    const read = (): Http2Numbers => ({ ...numbers(), upstream: { ...numbers().upstream, waiting: ++waiting } });
    const page = new MetricsPage(
      http2Families([
        { direction: 'outbound', read },
        { direction: 'inbound', read: numbers },
      ]),
    );
    await page.render();
    const families = parsePrometheusText((await page.render()).body);
    const before = waiting;
    await page.render();
    expect(waiting).to.be.greaterThan(before);
    expect(findSamples(families.get('mesher_http2_streams_waiting'), { direction: 'inbound' })[0]?.value).to.equal(9);
  });
});

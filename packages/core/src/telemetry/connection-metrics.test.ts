import { expect } from 'chai';
import { zeroConnectionStats } from '../testing/connection-stats.js';
import { findSamples, sampleValue } from '../testing/prometheus-samples.js';
import { parsePrometheusText } from '../testing/prometheus-text.js';
import type { PrometheusFamily } from '../testing/prometheus-text.js';
import { connectionFamilies } from './connection-metrics.js';
import type { ConnectionStatsSource } from './connection-metrics.js';
import { MetricsPage } from './metrics-page.js';
import { ReasonCounts } from './reason-counts.js';

async function render(...sources: ConnectionStatsSource[]): Promise<ReadonlyMap<string, PrometheusFamily>> {
  return parsePrometheusText((await new MetricsPage(connectionFamilies(sources)).render()).body);
}

describe('connectionFamilies', () => {
  it('show every number of a proxy once', async () => {
    const stats = zeroConnectionStats();
    const fields = Object.keys(stats) as Exclude<
      keyof typeof stats,
      'malformedReasons' | 'mirrorsDropped' | 'transparent'
    >[];
    for (const [index, field] of fields.entries()) stats[field] = index + 1;
    const families = await render({ direction: 'both', stats });
    const shown = [...families.values()].flatMap((family) => family.samples.map((sample) => sample.value));
    expect(shown.sort((a, b) => a - b)).to.deep.equal(fields.map((_, index) => index + 1));
  });

  it('tell directions, protocols and the ways of bytes apart', async () => {
    const [outbound, inbound] = [zeroConnectionStats(), zeroConnectionStats()];
    outbound.connectionsAccepted = 3;
    inbound.connectionsAccepted = 4;
    outbound.detectedTls = 5;
    inbound.bytesToDownstream = 6;
    const families = await render({ direction: 'outbound', stats: outbound }, { direction: 'inbound', stats: inbound });
    const value = (name: string, labels: Record<string, string>) => sampleValue(families.get(name), labels);
    expect(value('mesher_downstream_connections_accepted_total', { direction: 'outbound' })).to.equal(3);
    expect(value('mesher_downstream_connections_accepted_total', { direction: 'inbound' })).to.equal(4);
    expect(value('mesher_connection_protocols_total', { direction: 'outbound', protocol: 'tls' })).to.equal(5);
    expect(value('mesher_relayed_bytes_total', { direction: 'inbound', toward: 'downstream' })).to.equal(6);
  });

  it('show malformed requests by reason, those without one as other', async () => {
    const malformedReasons = new ReasonCounts();
    for (const reason of ['bare-lf', 'bare-lf', 'duplicate-host']) malformedReasons.count(reason);
    const families = await render({
      direction: 'outbound',
      stats: { ...zeroConnectionStats(), malformedRequests: 7, malformedReasons },
    });
    const samples = findSamples(families.get('mesher_malformed_requests_total'), { direction: 'outbound' });
    expect(samples.map(({ labels, value }) => [labels.get('reason'), value])).to.deep.equal([
      ['bare-lf', 2],
      ['duplicate-host', 1],
      ['other', 4],
    ]);
  });
  it('show why copies were dropped', async () => {
    const mirrorsDropped = new ReasonCounts();
    for (const reason of ['too-many', 'too-many', 'body-too-large']) mirrorsDropped.count(reason);
    const families = await render({
      direction: 'outbound',
      stats: { ...zeroConnectionStats(), mirrorsDropped },
    });
    const value = (name: string, reason: string) => sampleValue(families.get(name), { direction: 'outbound', reason });
    expect(value('mesher_mirrored_requests_dropped_total', 'body-too-large')).to.equal(1);
    expect(value('mesher_mirrored_requests_dropped_total', 'too-many')).to.equal(2);
  });
});

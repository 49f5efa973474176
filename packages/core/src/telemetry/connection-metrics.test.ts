import { expect } from 'chai';
import { parsePrometheusText } from '../testing/prometheus-text.js';
import { ConnectionCounters, MAX_MALFORMED_REASONS, connectionFamilies } from './connection-metrics.js';
import { MetricsPage } from './metrics-page.js';

describe('connectionFamilies', () => {
  it('shows every field under its direction', async () => {
    const outbound = new ConnectionCounters();
    const inbound = new ConnectionCounters();
    const page = new MetricsPage(connectionFamilies({ outbound, inbound }));
    const fields = Object.keys(outbound);
    const numbers = outbound as unknown as Record<string, number>;
    for (const [index, field] of fields.entries()) numbers[field] = index + 1;
    inbound.accepted = 100;

    const families = parsePrometheusText((await page.render()).body);
    const shown = [...families.values()].flatMap((family) => family.samples);
    const values = (direction: string): number[] =>
      shown.filter((sample) => sample.labels.get('direction') === direction).map((sample) => sample.value);
    expect(values('outbound').sort((a, b) => a - b)).to.deep.equal(fields.map((_, index) => index + 1));
    expect(values('inbound').filter((value) => value !== 0)).to.deep.equal([100]);
    expect(families.get('mesher_downstream_connections_accepted_total')?.samples[0]?.value).to.equal(outbound.accepted);
    expect(families.get('mesher_connection_protocols_total')?.samples[2]?.labels.get('protocol')).to.equal('tls');
  });

  it('shows refused requests by reason', async () => {
    const outbound = new ConnectionCounters();
    outbound.countMalformed('bare-lf');
    outbound.countMalformed('bare-lf');
    outbound.countMalformed('duplicate-host');
    const page = new MetricsPage(connectionFamilies({ outbound, inbound: new ConnectionCounters() }));
    const samples =
      parsePrometheusText((await page.render()).body).get('mesher_malformed_requests_total')?.samples ?? [];
    expect(samples.map(({ labels, value }) => [labels.get('direction'), labels.get('reason'), value])).to.deep.equal([
      ['outbound', 'bare-lf', 2],
      ['outbound', 'duplicate-host', 1],
    ]);
  });
});

describe('ConnectionCounters', () => {
  it('counts reasons beyond the cap as other', () => {
    const counters = new ConnectionCounters();
    for (let index = 0; index < MAX_MALFORMED_REASONS + 5; index++) counters.countMalformed(`reason-${index}`);
    counters.countMalformed('reason-0');
    expect(counters.malformed.size).to.equal(MAX_MALFORMED_REASONS + 1);
    expect(counters.malformed.get('other')).to.equal(5);
    expect(counters.malformed.get('reason-0')).to.equal(2);
  });
});

import { expect } from 'chai';
import { Registry, register } from 'prom-client';
import { isMeshError } from '../errors.js';
import { fakeMetricSources } from '../testing/metric-sources.js';
import { checkHistograms, findSamples, sampleValue } from '../testing/prometheus-samples.js';
import { parsePrometheusText } from '../testing/prometheus-text.js';
import type { PrometheusFamily } from '../testing/prometheus-text.js';
import { OTHER_SERVICE } from './call-metrics.js';
import { HEALTH_METRICS } from './health-metrics.js';
import { HTTP2_METRICS } from './http2-metrics.js';
import { METRICS } from './metric-catalog.js';
import { POLICY_METRICS } from './policy-metric-catalog.js';
import { metricFamilies } from './metric-families.js';
import type { MetricSources } from './metric-families.js';
import { SmallFamily } from './metric-family.js';
import type { MetricDefinition } from './metric-family.js';
import { MetricsPage } from './metrics-page.js';

async function render(of: MetricSources): Promise<ReadonlyMap<string, PrometheusFamily>> {
  return parsePrometheusText((await new MetricsPage(metricFamilies(of)).render()).body);
}

describe('MetricsPage', () => {
  it('is a valid page before anything happened', async () => {
    const page = await new MetricsPage(metricFamilies(fakeMetricSources())).render();
    expect(page.contentType).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect([...parsePrometheusText(page.body).keys()].sort()).to.deep.equal(
      Object.values({ ...METRICS, ...HTTP2_METRICS, ...HEALTH_METRICS, ...POLICY_METRICS })
        .map((metric) => metric.name)
        .sort(),
    );
  });

  it('shows every metric with the type, help and labels of the catalogue', async () => {
    const of = fakeMetricSources();
    const slot = of.calls.slotFor('outbound', 'world');
    of.calls.record(slot, 200, 3, false);
    of.calls.countGrpc(slot, 0);
    of.calls.responses.count(200, { direction: 'outbound', path: '/' });
    of.calls.countRetry(slot, 'MESH_ERR_CONNECT');
    of.calls.countRejection(slot, 'MESH_ERR_CONNECT');
    const families = await render(of);
    const implied: Record<string, string> = { histogram: 'le', summary: 'quantile' };
    for (const definition of Object.values<MetricDefinition>({ ...METRICS, ...HTTP2_METRICS, ...POLICY_METRICS })) {
      const family = families.get(definition.name);
      expect(family?.type).to.equal(definition.type);
      expect(family?.help).to.equal(definition.help);
      const mayBeEmpty =
        ['policies', 'configuration'].includes(definition.group) ||
        definition.labels.some((label) => ['reason', 'kind', 'verdict'].includes(label));
      if (process.platform === 'linux' && !mayBeEmpty) expect(family?.samples, definition.name).not.to.deep.equal([]);
      for (const sample of family?.samples ?? []) {
        const labels = [...sample.labels.keys()].filter((label) => label !== implied[definition.type]);
        expect(labels.sort(), definition.name).to.deep.equal([...definition.labels].sort());
      }
    }
  });

  it('writes service names of any characters so that they read back the same', async () => {
    const of = fakeMetricSources();
    const names = ['a"b', 'c\\d', 'e\nf', 'ü', '{x="1"} 7', ''];
    for (const name of names) of.calls.record(of.calls.slotFor('outbound', name), 200, 1, false);
    const families = await render(of);
    const read = findSamples(families.get('mesher_requests_total'), { status_class: '2xx' }).map((sample) =>
      sample.labels.get('service'),
    );
    expect(read).to.deep.equal(names);
  });

  it('shows 500 services in two directions whole, one family in one place, and lets the event loop turn meanwhile', async () => {
    const of = fakeMetricSources();
    for (let index = 0; index < 501; index++) {
      for (const direction of ['outbound', 'inbound'] as const) {
        const slot = of.calls.slotFor(direction, `service-${index}`);
        of.calls.record(slot, 200, index, false);
        of.calls.record(slot, 503, index, false);
      }
    }
    let turns = 0;
    let rendering = true;
    const count = (): void => {
      turns++;
      if (rendering) setImmediate(count);
    };
    setImmediate(count);
    const families = await render(of);
    rendering = false;
    const durations = families.get('mesher_request_duration_seconds');
    expect(checkHistograms(durations)).to.equal(501 * 2 * 2);
    expect(
      sampleValue(
        durations,
        { direction: 'inbound', service: OTHER_SERVICE, status_class: '2xx' },
        `${durations?.name}_count`,
      ),
    ).to.equal(1);
    expect(sampleValue(families.get('mesher_series_dropped_total'))).to.equal(2);
    expect(turns).to.be.greaterThan((durations?.samples.length ?? 0) / 1200);
  });

  it('reads the numbers anew at each scrape', async () => {
    const of = fakeMetricSources();
    const slot = of.calls.slotFor('outbound', 'world');
    const page = new MetricsPage(metricFamilies(of));
    for (const expected of [1, 2]) {
      of.calls.record(slot, 200, 1, false);
      const families = parsePrometheusText((await page.render()).body);
      expect(sampleValue(families.get('mesher_requests_total'), { status_class: '2xx' })).to.equal(expected);
    }
  });

  it('makes one page for scrapes that overlap', async () => {
    let reads = 0;
    const family = new SmallFamily(METRICS.seriesDropped, () => [{ labels: {}, value: ++reads }]);
    const page = new MetricsPage([family]);
    const [first, second] = await Promise.all([page.render(), page.render()]);
    expect(second).to.equal(first);
    expect(reads).to.equal(1);
    await page.render();
    expect(reads).to.equal(2);
  });

  it('leaves out a family that cannot be read, says so in the log, and shows the others', async () => {
    const warnings: unknown[] = [];
    const ignore = (): void => {};
    const logger = { debug: ignore, info: ignore, error: ignore, warn: (fields: object) => void warnings.push(fields) };
    const broken = new SmallFamily(METRICS.registryProblems, () => {
      throw new Error('plugin trouble');
    });
    const page = new MetricsPage(
      [broken, new SmallFamily(METRICS.seriesDropped, () => [{ labels: {}, value: 4 }])],
      logger,
    );
    const families = parsePrometheusText((await page.render()).body);
    expect([...families.keys()]).to.deep.equal([METRICS.seriesDropped.name]);
    expect(warnings).to.have.nested.property('[0].metric', METRICS.registryProblems.name);
  });

  it('refuses two families of one name', () => {
    const family = new SmallFamily(METRICS.seriesDropped, () => []);
    expect(() => new MetricsPage([family, family]))
      .to.throw()
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_DUPLICATE_METRIC'));
  });

  it('keeps two chassis of one process apart, and out of the global registry', async () => {
    const [one, two] = [fakeMetricSources(), fakeMetricSources()];
    one.calls.record(one.calls.slotFor('outbound', 'world'), 200, 1, false);
    const families = [await render(one), await render(two)];
    expect(families.map((page) => page.get('mesher_requests_total')?.samples.length)).to.deep.equal([2, 0]);
    expect(register.getMetricsAsArray()).to.deep.equal([]);
  });
});

describe('the registry of a MetricsPage', () => {
  it('is a registry of prom-client that an application can merge into its own page', async () => {
    const of = fakeMetricSources();
    of.calls.record(of.calls.slotFor('outbound', 'world'), 200, 3, false);
    const page = new MetricsPage(metricFamilies(of));
    const merged = Registry.merge([await page.registry(), new Registry()]);
    const families = parsePrometheusText(await merged.metrics());
    checkHistograms(families.get('mesher_request_duration_seconds'));
    expect(sampleValue(families.get('mesher_requests_total'), { service: 'world', status_class: '2xx' })).to.equal(1);
  });

  it('gives every label of every sample as JSON', async () => {
    const of = fakeMetricSources();
    of.calls.record(of.calls.slotFor('outbound', 'world'), 200, 3, false);
    const registry = await new MetricsPage(metricFamilies(of)).registry();
    const json = await registry.getMetricsAsJSON();
    const requests = json.find((metric) => metric.name === 'mesher_requests_total');
    expect(requests?.values).to.deep.include({
      value: 1,
      labels: { direction: 'outbound', service: 'world', status_class: '2xx' },
    });
  });

  it('prints what the application added to it', async () => {
    const { Gauge } = await import('prom-client');
    const page = new MetricsPage([]);
    new Gauge({ name: 'jobs', help: 'Jobs.', registers: [await page.registry()] }).set(3);
    expect(sampleValue(parsePrometheusText((await page.render()).body).get('jobs'))).to.equal(3);
  });
});

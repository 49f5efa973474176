import { expect } from 'chai';
import { REGISTRY_EVENTS } from '../registry/registry-events.js';
import { fakeMetricSources } from '../testing/metric-sources.js';
import { checkHistograms, findSamples, sampleValue } from '../testing/prometheus-samples.js';
import { parsePrometheusText } from '../testing/prometheus-text.js';
import type { PrometheusFamily } from '../testing/prometheus-text.js';
import { OTHER_SERVICE, UNKNOWN_SERVICE } from './call-metrics.js';
import { metricFamilies } from './metric-families.js';
import type { MetricSources } from './metric-families.js';
import { MetricsPage } from './metrics-page.js';

async function render(of: MetricSources): Promise<ReadonlyMap<string, PrometheusFamily>> {
  return parsePrometheusText((await new MetricsPage(metricFamilies(of)).render()).body);
}

describe('the call metrics', () => {
  it('counts requests and their durations by direction, service and status class', async () => {
    const of = fakeMetricSources();
    const outbound = of.calls.slotFor('outbound', 'world');
    const inbound = of.calls.slotFor('inbound', 'hello');
    for (let call = 0; call < 3; call++) of.calls.started(outbound);
    of.calls.record(outbound, 200, 4, false);
    of.calls.record(outbound, 503, 1000, false);
    of.calls.started(inbound);
    of.calls.record(inbound, 404, 0.1, false);
    const families = await render(of);
    const requests = families.get('mesher_requests_total');
    expect(sampleValue(requests, { direction: 'outbound', service: 'world', status_class: '2xx' })).to.equal(1);
    expect(sampleValue(requests, { direction: 'outbound', service: 'world', status_class: '5xx' })).to.equal(1);
    expect(sampleValue(requests, { direction: 'inbound', service: 'hello', status_class: '4xx' })).to.equal(1);
    expect(sampleValue(requests, { direction: 'inbound', service: 'hello', status_class: '5xx' })).to.equal(0);
    expect(sampleValue(families.get('mesher_requests_in_flight'), { service: 'world' })).to.equal(1);

    const durations = families.get('mesher_request_duration_seconds');
    expect(checkHistograms(durations)).to.equal(3);
    const ok = { service: 'world', status_class: '2xx' };
    expect(sampleValue(durations, { ...ok, le: '0.0025' }, `${durations?.name}_bucket`)).to.equal(0);
    expect(sampleValue(durations, { ...ok, le: '0.005' }, `${durations?.name}_bucket`)).to.equal(1);
    expect(sampleValue(durations, ok, `${durations?.name}_sum`)).to.equal(0.004);
  });

  it('shows series of reserved services only once they counted something', async () => {
    const of = fakeMetricSources();
    of.calls.slotFor('outbound', OTHER_SERVICE);
    const unknown = of.calls.slotFor('outbound', UNKNOWN_SERVICE);
    of.calls.record(unknown, 404, 1, false);
    const families = await render(of);
    expect(findSamples(families.get('mesher_requests_total'), { service: OTHER_SERVICE })).to.deep.equal([]);
    expect(findSamples(families.get('mesher_requests_total'), { service: UNKNOWN_SERVICE }).length).to.equal(1);
    expect(findSamples(families.get('requests_total'), { service_name: OTHER_SERVICE })).to.deep.equal([]);
  });

  it('shows inbound calls by caller', async () => {
    const of = fakeMetricSources();
    of.calls.sources.count({ service: 'shop', by: 'header' });
    const family = (await render(of)).get('mesher_inbound_requests_by_source_total');
    expect(sampleValue(family, { source: 'shop', by: 'header' })).to.equal(1);
  });

  it('shows retries and rejections by error code', async () => {
    const of = fakeMetricSources();
    const slot = of.calls.slotFor('outbound', 'world');
    of.calls.countRetry(slot, 'MESH_ERR_CONNECT');
    of.calls.countRejection(slot, 'MESH_ERR_NO_INSTANCE');
    const families = await render(of);
    expect(sampleValue(families.get('mesher_retries_total'), { service: 'world', code: 'MESH_ERR_CONNECT' })).to.equal(
      1,
    );
    expect(families.get('mesher_rejections_total')?.samples.length).to.equal(1);
    expect(sampleValue(families.get('mesher_rejections_total'), { code: 'MESH_ERR_NO_INSTANCE' })).to.equal(1);
  });
});

describe('the series of the original mesher', () => {
  it('count answered calls of both directions by service name', async () => {
    const of = fakeMetricSources();
    for (const direction of ['outbound', 'inbound'] as const) {
      const slot = of.calls.slotFor(direction, 'hello');
      for (const status of [200, 201, 302, 404, 503]) of.calls.record(slot, status, 1, false);
      of.calls.record(slot, 0, 1, true);
    }
    const families = await render(of);
    const labels = { service_name: 'hello', app: '', version: '' };
    expect(sampleValue(families.get('requests_total'), labels)).to.equal(10);
    expect(sampleValue(families.get('successes_total'), labels)).to.equal(4);
    expect(sampleValue(families.get('failures_total'), labels)).to.equal(4);
    expect(sampleValue(families.get('status_4xx'), labels)).to.equal(2);
    expect(sampleValue(families.get('status_5xx'), labels)).to.equal(2);
  });

  it('show the latency of outbound calls as a summary', async () => {
    const of = fakeMetricSources();
    of.calls.record(of.calls.slotFor('outbound', 'world'), 200, 150, false);
    of.calls.record(of.calls.slotFor('inbound', 'hello'), 200, 150, false);
    const latency = (await render(of)).get('request_latency_seconds');
    expect(
      findSamples(latency, { service_name: 'world' }).map((sample) => sample.labels.get('quantile')),
    ).to.deep.equal(['0.5', '0.9', '0.99']);
    expect(sampleValue(latency, { service_name: 'world', quantile: '0.5' })).to.be.within(0.1, 0.25);
    expect(sampleValue(latency, {}, 'request_latency_seconds_sum')).to.equal(0.15);
    expect(sampleValue(latency, {}, 'request_latency_seconds_count')).to.equal(1);
  });

  it('name the own service with its application and version at start_time_seconds', async () => {
    const families = await render(fakeMetricSources());
    const labels = { service_name: 'hello', app: 'shop', version: '1.2.3' };
    expect(sampleValue(families.get('start_time_seconds'), labels)).to.equal(
      sampleValue(families.get('process_start_time_seconds')),
    );
  });

  it('can be turned off', async () => {
    const names = [...(await render(fakeMetricSources({ compatibility: false }))).keys()];
    expect(names.filter((name) => !/^(mesher|process|nodejs)_/.test(name))).to.deep.equal([]);
  });
});

describe('the registry metrics', () => {
  it('say how each registry does', async () => {
    const families = await render(fakeMetricSources());
    const state = families
      .get('mesher_registry_state')
      ?.samples.map((sample) => [sample.labels.get('state'), sample.value]);
    expect(state).to.deep.equal([
      ['never', 0],
      ['fresh', 0],
      ['stale', 1],
    ]);
    const file = { registry: 'file' };
    expect(sampleValue(families.get('mesher_registry_last_success_age_seconds'), file)).to.equal(2.5);
    expect(sampleValue(families.get('mesher_registry_problems'), file)).to.equal(1);
    expect(sampleValue(families.get('mesher_registry_services_watched'), file)).to.equal(3);
    expect(sampleValue(families.get('mesher_registry_instances'), file)).to.equal(7);
    expect(sampleValue(families.get('mesher_registry_endpoints'), file)).to.equal(9);
  });

  it('count what happened to the connection, zeros included, and nothing where there is none', async () => {
    const families = await render(fakeMetricSources());
    const counted = families
      .get('mesher_registry_events_total')
      ?.samples.map((sample) => [sample.labels.get('registry'), sample.labels.get('event'), sample.value]);
    expect(counted).to.deep.equal(
      Object.keys(REGISTRY_EVENTS).map((event) => ['file', event, event === 'reconnected' ? 2 : 0]),
    );
    const [file] = fakeMetricSources().registries ?? [];
    if (file === undefined) throw new Error('the fake sources have a registry');
    const without = { ...file, state: () => ({ ...file.state(), counts: undefined }) };
    const none = await render(fakeMetricSources({ registries: [without] }));
    expect(none.get('mesher_registry_events_total')?.samples).to.deep.equal([]);
  });

  it('give no age before the first answer', async () => {
    const never = {
      name: 'file',
      state: () => ({ freshness: 'never' as const, lastSuccessAt: undefined, problems: [] }),
      servicesWatched: () => 0,
      instances: () => 0,
      endpoints: () => 0,
    };
    const families = await render(fakeMetricSources({ registries: [never] }));
    expect(families.get('mesher_registry_last_success_age_seconds')?.samples).to.deep.equal([]);
    expect(sampleValue(families.get('mesher_registry_state'), { state: 'never' })).to.equal(1);
  });
});

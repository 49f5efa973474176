import { expect } from 'chai';
import { HEALTH_METRICS } from './health-metrics.js';
import { HTTP2_METRICS } from './http2-metrics.js';
import { METRICS } from './metric-catalog.js';
import { POLICY_METRICS } from './policy-metric-catalog.js';
import type { MetricDefinition } from './metric-family.js';
import { renderMetricsReference } from './metrics-reference.js';

const ALL = [
  ...Object.values(METRICS),
  ...Object.values(HTTP2_METRICS),
  ...Object.values(HEALTH_METRICS),
  ...Object.values(POLICY_METRICS),
];

describe('renderMetricsReference', () => {
  it('has one row for every metric, with its type, labels and meaning', () => {
    const rows = renderMetricsReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const metrics: readonly MetricDefinition[] = ALL;
    expect(rows.length).to.equal(metrics.length);
    for (const metric of metrics) {
      const row = rows.find((line) => line.startsWith(`| \`${metric.name}\` |`));
      expect(row).to.include(`| ${metric.type} |`).and.to.include(metric.help);
      for (const label of metric.labels) expect(row).to.include(`\`${label}\``);
    }
  });
});

describe('the catalogue of metrics', () => {
  const metrics: readonly MetricDefinition[] = ALL;

  it('names nothing twice', () => {
    expect(new Set(metrics.map((metric) => metric.name)).size).to.equal(metrics.length);
  });

  it('follows the naming rules of Prometheus, but for the names that the original mesher chose', () => {
    for (const metric of metrics.filter((entry) => entry.group !== 'compatibility')) {
      expect(metric.name).to.match(/^(mesher|process|nodejs)_[a-z0-9_]+$/);
      expect(metric.name.endsWith('_total'), metric.name).to.equal(metric.type === 'counter');
      expect(metric.help, metric.name).to.match(/^[A-Z0-9].*\.$/);
    }
  });
});

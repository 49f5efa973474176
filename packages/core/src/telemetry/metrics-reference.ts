import { DURATION_BUCKETS_SECONDS } from './duration-buckets.js';
import { HEALTH_METRICS } from './health-metrics.js';
import { HTTP2_METRICS } from './http2-metrics.js';
import { METRICS } from './metric-catalog.js';
import type { MetricDefinition, MetricGroup } from './metric-family.js';
import { POLICY_METRICS } from './policy-metric-catalog.js';

const CHAPTERS: readonly { readonly group: MetricGroup; readonly title: string; readonly intro: string }[] = [
  {
    group: 'calls',
    title: 'Calls',
    intro:
      '`direction` is `outbound` (the local application calls) or `inbound` (it is called). `service` is the called service; ' +
      '`_unknown` stands for names that the registry does not know, `_other` for all services after the cap on series. ' +
      '`status_class` is `1xx` to `5xx`, or `none` when the caller left first or there is no status (TCP). ' +
      `The bounds of the duration histogram are ${DURATION_BUCKETS_SECONDS.join(', ')} seconds.`,
  },
  {
    group: 'policies',
    title: 'Policies',
    intro:
      'What routing, load balancing and fault tolerance did. A family without samples has had nothing to count yet.',
  },
  {
    group: 'configuration',
    title: 'Configuration',
    intro: 'What became of changes; `GET /config` says more. Without samples in a program that follows no changes.',
  },
  {
    group: 'connections',
    title: 'Connections',
    intro:
      '`direction` is that of the listeners, or `both` when one proxy serves both. Callers are downstream, the called are upstream.',
  },
  { group: 'registry', title: 'Registry', intro: '`registry` is the name of the registry plugin.' },
  {
    group: 'health',
    title: 'Local health',
    intro:
      'What `localHealthCheck` found out. Without samples where no check is configured. `check` is its protocol, port and path.',
  },
  {
    group: 'process',
    title: 'Process',
    intro: 'Read at scrape time; nothing is measured between scrapes.',
  },
  {
    group: 'compatibility',
    title: 'Series of the original mesher',
    intro:
      'The Grafana dashboard of the original mesher reads these. They repeat what the series above say and can be turned off. ' +
      '`app` and `version` are empty unless a route rule chose them. Successes and failures are whole status classes.',
  },
];

/** The reference page of all metrics in Markdown, made from {@link METRICS}. */
export function renderMetricsReference(): string {
  const all: readonly MetricDefinition[] = [
    ...Object.values(METRICS),
    ...Object.values(HTTP2_METRICS),
    ...Object.values(POLICY_METRICS),
    ...Object.values(HEALTH_METRICS),
  ];
  const chapters = CHAPTERS.map(({ group, title, intro }) => {
    const rows = all.filter((metric) => metric.group === group).map(renderRow);
    return [`## ${title}`, '', intro, '', '| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join(
      '\n',
    );
  });
  return `# Metrics\n\n\`GET /metrics\` on the admin port, in the Prometheus text format.\n\n${chapters.join('\n\n')}\n`;
}

function renderRow(metric: MetricDefinition): string {
  const labels = metric.labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${metric.name}\` | ${metric.type} | ${labels} | ${metric.help.replaceAll('|', '\\|')} |`;
}

import {
  SmallFamily,
  type MetricDefinition,
  type MetricFamily,
  type MetricType,
  type Sample,
} from './metric-family.js';

function define(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'health', labels, help };
}

/** The metrics of local health checks; part of `docs/reference/metrics.md`. */
export const HEALTH_METRICS = {
  state: define(
    'gauge',
    'mesher_local_health_state',
    ['state'],
    '1 for what all checks together say of the local application (unknown, up, down), 0 for the others.',
  ),
  changes: define('counter', 'mesher_local_health_changes_total', ['to'], 'Changes of that state.'),
  checkUp: define(
    'gauge',
    'mesher_local_health_check_up',
    ['check'],
    '1 while the check says that the application is well, else 0; absent before its first result.',
  ),
  results: define(
    'counter',
    'mesher_local_health_checks_total',
    ['check', 'result'],
    'Checks that ended: passed or failed.',
  ),
  duration: define(
    'gauge',
    'mesher_local_health_check_duration_seconds',
    ['check'],
    'How long the latest check took; absent before its first result.',
  ),
  publishFailures: define(
    'counter',
    'mesher_local_health_publish_failures_total',
    [],
    'Times that the registry did not take the status of this instance; it is told again until it does.',
  ),
} as const satisfies Record<string, MetricDefinition>;

/** What local health checks want to show; asked at each scrape. */
export interface HealthStatsSource {
  readonly state: 'unknown' | 'up' | 'down';
  /** Changes so far, by the state that they led to. */
  readonly changes: Readonly<Record<'up' | 'down', number>>;
  readonly checks: readonly {
    /** Protocol, port and path; the label `check`. */
    readonly name: string;
    readonly state: 'unknown' | 'up' | 'down';
    readonly passed: number;
    readonly failed: number;
    readonly lastDurationMs: number | undefined;
  }[];
  readonly publishFailures: number;
}

const STATES = ['unknown', 'up', 'down'] as const;

/** @param read undefined while there are no checks: then there are no samples either */
export function healthFamilies(read: () => HealthStatsSource | undefined): MetricFamily[] {
  const family = (definition: MetricDefinition, samples: (source: HealthStatsSource) => Sample[]): MetricFamily =>
    new SmallFamily(definition, () => {
      const source = read();
      return source === undefined ? [] : samples(source);
    });
  return [
    family(HEALTH_METRICS.state, ({ state }) =>
      STATES.map((one) => ({ labels: { state: one }, value: one === state ? 1 : 0 })),
    ),
    family(HEALTH_METRICS.changes, ({ changes }) =>
      (['up', 'down'] as const).map((to) => ({ labels: { to }, value: changes[to] })),
    ),
    family(HEALTH_METRICS.checkUp, ({ checks }) =>
      checks
        .filter(({ state }) => state !== 'unknown')
        .map(({ name, state }) => ({ labels: { check: name }, value: state === 'up' ? 1 : 0 })),
    ),
    family(HEALTH_METRICS.results, ({ checks }) =>
      checks.flatMap(({ name, passed, failed }) => [
        { labels: { check: name, result: 'passed' }, value: passed },
        { labels: { check: name, result: 'failed' }, value: failed },
      ]),
    ),
    family(HEALTH_METRICS.duration, ({ checks }) =>
      checks.flatMap(({ name, lastDurationMs }) =>
        lastDurationMs === undefined ? [] : [{ labels: { check: name }, value: lastDurationMs / 1000 }],
      ),
    ),
    family(HEALTH_METRICS.publishFailures, ({ publishFailures }) => [{ labels: {}, value: publishFailures }]),
  ];
}

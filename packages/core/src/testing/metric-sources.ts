import { CallMetrics } from '../telemetry/call-metrics.js';
import type { MetricSources } from '../telemetry/metric-families.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { zeroConnectionStats, zeroHttp2Numbers } from './connection-stats.js';
import { fakePorts } from './fake-ports.js';

/** Everything that a metrics page of the service `hello` needs, with time standing still and one registry that is stale. */
export function fakeMetricSources(overrides: Partial<MetricSources> = {}): Required<MetricSources> {
  const { clock } = fakePorts();
  return {
    clock,
    identity: { service: 'hello', app: 'shop', version: '1.2.3' },
    build: { version: '0.1.0', node: '20.19.0' },
    calls: new CallMetrics(),
    policies: new PolicyMetrics(),
    connections: [{ direction: 'both', stats: zeroConnectionStats() }],
    http2: [{ direction: 'both', read: zeroHttp2Numbers }],
    registries: [
      {
        name: 'file',
        state: () => ({
          freshness: 'stale',
          lastSuccessAt: clock.wallTime() - 2500,
          problems: ['a bad line'],
          counts: { reconnected: 2 },
        }),
        servicesWatched: () => 3,
        endpoints: () => 9,
        instances: () => 7,
      },
    ],
    localHealth: () => ({
      state: 'up',
      changes: { up: 1, down: 0 },
      checks: [{ name: 'rest:8080/health', state: 'up', passed: 3, failed: 1, lastDurationMs: 4 }],
      publishFailures: 0,
    }),
    process: true,
    compatibility: true,
    ...overrides,
  };
}

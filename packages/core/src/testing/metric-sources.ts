import { CallMetrics } from '../telemetry/call-metrics.js';
import { ConnectionCounters } from '../telemetry/connection-metrics.js';
import type { MetricSources } from '../telemetry/metric-families.js';
import { fakePorts } from './fake-ports.js';

/** Everything that a metrics page of the service `hello` needs, with time standing still and one registry that is stale. */
export function fakeMetricSources(overrides: Partial<MetricSources> = {}): Required<MetricSources> {
  const { clock } = fakePorts();
  return {
    clock,
    identity: { service: 'hello', app: 'shop', version: '1.2.3' },
    build: { version: '0.1.0', node: '20.19.0' },
    calls: new CallMetrics(),
    connections: { outbound: new ConnectionCounters(), inbound: new ConnectionCounters() },
    registries: [
      {
        name: 'file',
        state: () => ({ freshness: 'stale', lastSuccessAt: clock.wallTime() - 2500, problems: ['a bad line'] }),
        servicesWatched: () => 3,
        instances: () => 7,
      },
    ],
    process: true,
    compatibility: true,
    ...overrides,
  };
}

import type { Clock } from '../ports/ports.js';
import { callFamilies } from './call-families.js';
import type { CallMetrics } from './call-metrics.js';
import { compatibilityFamilies } from './compatibility-families.js';
import type { ServiceIdentity } from './compatibility-families.js';
import { connectionFamilies } from './connection-metrics.js';
import type { ConnectionStatsSource } from './connection-metrics.js';
import { healthFamilies, type HealthStatsSource } from './health-metrics.js';
import { http2Families, type Http2StatsSource } from './http2-metrics.js';
import type { MetricFamily } from './metric-family.js';
import type { PolicyMetrics } from './policy-metrics.js';
import { processFamilies, processStartTimeSeconds } from './process-metrics.js';
import type { BuildInfo } from './process-metrics.js';
import { registryFamilies } from './registry-metrics.js';
import type { RegistryStatsSource } from './registry-metrics.js';

/** Everything that a chassis exports numbers of. */
export interface MetricSources {
  readonly clock: Clock;
  readonly identity: ServiceIdentity;
  readonly build: BuildInfo;
  readonly calls: CallMetrics;
  /** None where no policies run. */
  readonly policies?: PolicyMetrics;
  /** One entry per proxy; none where the chassis has no wires of its own (inside an application). */
  readonly connections?: readonly ConnectionStatsSource[];
  /** One entry per proxy that speaks HTTP/2. */
  readonly http2?: readonly Http2StatsSource[];
  readonly registries?: readonly RegistryStatsSource[];
  /** What local health checks found out; undefined while there are none. */
  readonly localHealth?: () => HealthStatsSource | undefined;
  /** Numbers about the process, default true; an application that already exports them turns this off. */
  readonly process?: boolean;
  /** The series of the original mesher, default true. */
  readonly compatibility?: boolean;
}

/** The families of a chassis' metrics page, in the order of the page. */
export function metricFamilies(sources: MetricSources): MetricFamily[] {
  const { clock, calls, connections = [] } = sources;
  const startTimeSeconds = processStartTimeSeconds(clock);
  return [
    ...callFamilies(calls),
    ...(sources.policies?.families() ?? []),
    ...(connections.length === 0 ? [] : connectionFamilies(connections)),
    ...(sources.http2 === undefined ? [] : http2Families(sources.http2)),
    ...registryFamilies(sources.registries ?? [], clock),
    ...(sources.localHealth === undefined ? [] : healthFamilies(sources.localHealth)),
    ...((sources.process ?? true) ? processFamilies(sources.build, startTimeSeconds, clock) : []),
    ...((sources.compatibility ?? true) ? compatibilityFamilies(calls, sources.identity, startTimeSeconds, clock) : []),
  ];
}

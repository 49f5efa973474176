import { metricFamilies, type Chassis, type MetricFamily, type Ports } from '@mesher/core';
import type { ProxyServer } from '@mesher/proxy';
import { mesherVersion } from '../version.js';
import type { ApplicationHealth } from './application-health.js';

/** Where a sidecar counts. */
export interface CountingParts {
  readonly chassis: Chassis;
  readonly proxy: ProxyServer;
  readonly ports: Ports;
  /** What the local health checks say; left out where nobody checks. */
  readonly health?: Pick<ApplicationHealth, 'stats'>;
}

/** All that a sidecar counts: for its metrics page, and for StatsD. */
export function sidecarFamilies({ chassis, proxy, ports, health }: CountingParts): MetricFamily[] {
  const { service, mesher } = chassis.document;
  return metricFamilies({
    clock: ports.clock,
    identity: { service: service.name, app: service.app, version: service.version },
    build: { version: mesherVersion(), node: process.version },
    calls: chassis.metrics,
    policies: chassis.policyMetrics,
    connections: [{ direction: 'both', stats: proxy.stats }],
    http2: [{ direction: 'both', read: () => proxy.http2 }],
    registries: [
      {
        name: chassis.registry.discovery.name,
        state: () => chassis.registry.discovery.state(),
        servicesWatched: () => chassis.directory.plans.length,
        instances: () => chassis.directory.plans.reduce((sum, plan) => sum + (plan.snapshot?.instances.length ?? 0), 0),
        endpoints: () => countEndpoints(chassis),
      },
    ],
    localHealth: () => health?.stats,
    compatibility: mesher.metrics.compatibility,
  });
}

function countEndpoints({ directory }: Chassis): number {
  let sum = 0;
  for (const { snapshot } of directory.plans) {
    for (const { addresses } of snapshot?.instances ?? []) sum += addresses.size;
  }
  return sum;
}

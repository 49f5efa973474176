import type { Clock } from '../ports/ports.js';
import type { RegistryState } from '../registry/contracts.js';
import { REGISTRY_EVENTS, type RegistryEvent } from '../registry/registry-events.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { MetricDefinition, MetricFamily, Sample } from './metric-family.js';

/** What the metrics want to know of a registry and of the directory that it feeds; asked at each scrape. */
export interface RegistryStatsSource {
  /** Name of the registry plugin; the label `registry`. */
  readonly name: string;
  state(): Pick<RegistryState, 'freshness' | 'lastSuccessAt' | 'problems' | 'counts'>;
  servicesWatched(): number;
  /** Instances of the watched services. */
  instances(): number;
  /** Addresses of them. */
  endpoints(): number;
}

const EVENTS = Object.keys(REGISTRY_EVENTS) as readonly RegistryEvent[];
const STATES = ['never', 'fresh', 'stale'] as const satisfies readonly RegistryState['freshness'][];

/** The families of the page that read the state of each registry at scrape time. */
export function registryFamilies(sources: readonly RegistryStatsSource[], clock: Clock): MetricFamily[] {
  const gauge = (
    definition: MetricDefinition,
    read: (source: RegistryStatsSource) => number | undefined,
  ): MetricFamily =>
    new SmallFamily(definition, () =>
      sources.flatMap((source): Sample[] => {
        const value = read(source);
        return value === undefined ? [] : [{ labels: { registry: source.name }, value }];
      }),
    );
  return [
    new SmallFamily(METRICS.registryState, () =>
      sources.flatMap((source) => {
        const { freshness } = source.state();
        return STATES.map((state) => ({
          labels: { registry: source.name, state },
          value: state === freshness ? 1 : 0,
        }));
      }),
    ),
    gauge(METRICS.registryAge, (source) => {
      const { lastSuccessAt } = source.state();
      // The wall clock may be set back.
      return lastSuccessAt === undefined ? undefined : Math.max(0, clock.wallTime() - lastSuccessAt) / 1000;
    }),
    gauge(METRICS.registryProblems, (source) => source.state().problems.length),
    gauge(METRICS.registryServices, (source) => source.servicesWatched()),
    gauge(METRICS.registryInstances, (source) => source.instances()),
    gauge(METRICS.registryEndpoints, (source) => source.endpoints()),
    new SmallFamily(METRICS.registryEvents, () =>
      sources.flatMap((source) => {
        const { counts } = source.state();
        if (counts === undefined) return [];
        // Also those that never happened: an alert on the increase needs the zero before.
        return EVENTS.map((event) => ({ labels: { registry: source.name, event }, value: counts[event] ?? 0 }));
      }),
    ),
  ];
}

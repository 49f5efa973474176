import type { Clock } from '../ports/ports.js';
import { isReserved } from './call-families.js';
import { STATUS_CLASSES } from './call-metrics.js';
import type { CallMetrics } from './call-metrics.js';
import { LatencyWindow } from './latency-window.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { Labels, MetricDefinition, MetricFamily, Sample } from './metric-family.js';

/** The service that this process stands beside or in. */
export interface ServiceIdentity {
  readonly service: string;
  readonly app: string;
  readonly version: string;
}

const NONE = STATUS_CLASSES.indexOf('none');
const SUCCESSES = [STATUS_CLASSES.indexOf('2xx')];
const CLIENT_ERRORS = [STATUS_CLASSES.indexOf('4xx')];
const SERVER_ERRORS = [STATUS_CLASSES.indexOf('5xx')];
const EVERY_CLASS = STATUS_CLASSES.map((_, index) => index);
const ANSWERED = EVERY_CLASS.filter((index) => index !== NONE);

/** Quantiles that the Go client's summaries had by default and the dashboard shows. */
const QUANTILES = [0.5, 0.9, 0.99];

/**
 * The series of the original mesher under their original names, so that its Grafana dashboard shows this one too. The labels `app`
 * and `version` are empty unless a route rule chose them, as there. Differences: successes and failures are whole status classes
 * (there 200-226, 400-451 and 500-511), and a gRPC or HTTP call whose caller left first is not counted at all.
 */
export function compatibilityFamilies(
  metrics: CallMetrics,
  identity: ServiceIdentity,
  startTimeSeconds: number,
  clock: Clock,
): MetricFamily[] {
  const counter = (definition: MetricDefinition, classes: readonly number[]): MetricFamily =>
    new SmallFamily(definition, () => countByService(metrics, classes));
  return [
    counter(METRICS.originalRequests, ANSWERED),
    counter(METRICS.originalSuccesses, SUCCESSES),
    counter(METRICS.originalFailures, [...CLIENT_ERRORS, ...SERVER_ERRORS]),
    counter(METRICS.original4xx, CLIENT_ERRORS),
    counter(METRICS.original5xx, SERVER_ERRORS),
    latencyFamily(metrics, clock),
    new SmallFamily(METRICS.originalStartTime, () => [
      {
        labels: { service_name: identity.service, app: identity.app, version: identity.version },
        value: startTimeSeconds,
      },
    ]),
  ];
}

function originalLabels(service: string): Labels {
  return { service_name: service, app: '', version: '' };
}

/** The original does not tell the directions apart, so both are added up. */
function countByService(metrics: CallMetrics, classes: readonly number[]): Sample[] {
  const totals = new Map<string, number>();
  for (let slot = 0; slot < metrics.slotCount; slot++) {
    const { service } = metrics.slotAt(slot);
    let value = totals.get(service) ?? 0;
    for (const statusClass of classes) value += metrics.requestsOf(slot, statusClass);
    if (value > 0 || !isReserved(service)) totals.set(service, value);
  }
  return [...totals].map(([service, value]) => ({ labels: originalLabels(service), value }));
}

function latencyFamily(metrics: CallMetrics, clock: Clock): MetricFamily {
  const window = new LatencyWindow(metrics, 'outbound', clock);
  const { name } = METRICS.originalLatency;
  return new SmallFamily(METRICS.originalLatency, () => {
    window.advance();
    const samples: Sample[] = [];
    for (let slot = 0; slot < metrics.slotCount; slot++) {
      const { direction, service } = metrics.slotAt(slot);
      if (direction !== 'outbound') continue;
      const count = EVERY_CLASS.reduce((sum, statusClass) => sum + metrics.requestsOf(slot, statusClass), 0);
      if (count === 0) continue;
      const seconds = EVERY_CLASS.reduce((sum, statusClass) => sum + metrics.secondsOf(slot, statusClass), 0);
      const sharedLabels = originalLabels(service);
      for (const [index, value] of (window.quantilesOf(slot, QUANTILES) ?? []).entries()) {
        samples.push({ labels: { quantile: QUANTILES[index] ?? 0 }, sharedLabels, value });
      }
      samples.push({ metricName: `${name}_sum`, labels: {}, sharedLabels, value: seconds });
      samples.push({ metricName: `${name}_count`, labels: {}, sharedLabels, value: count });
    }
    return samples;
  });
}

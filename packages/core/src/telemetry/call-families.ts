import type { CallMetrics } from './call-metrics.js';
import { COUNTED_CODES, OTHER_SERVICE, STATUS_CLASSES, UNKNOWN_SERVICE } from './call-metrics.js';
import { DURATION_BUCKETS_SECONDS, DURATION_BUCKET_COUNT } from './duration-buckets.js';
import { GRPC_STATUS_NAMES } from '../grpc/status.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { Labels, MetricDefinition, MetricFamily, Sample } from './metric-family.js';

/**
 * Samples per portion, at least. prom-client prints one in about a microsecond, so a portion holds the event loop for one to two
 * milliseconds: little enough for requests that arrive meanwhile, enough not to spend the time on waiting for turns.
 */
const SLICE_SAMPLES = 1000;

const LE_LABELS: readonly Labels[] = [...DURATION_BUCKETS_SECONDS.map((le) => ({ le })), { le: '+Inf' }];
const NO_LABELS: Readonly<Labels> = {};

/**
 * Classes that are printed from zero on: a counter that appears with its first increment hides that increment from `rate()`, and
 * error ratios are made of these two.
 */
const FROM_ZERO: ReadonlySet<number> = new Set([STATUS_CLASSES.indexOf('2xx'), STATUS_CLASSES.indexOf('5xx')]);

type SlotReader = (slot: number, samples: Sample[]) => void;

/** Prints something for every slot, in portions of whole slots. */
class SlotFamily implements MetricFamily {
  constructor(
    readonly definition: MetricDefinition,
    private readonly metrics: CallMetrics,
    private readonly read: SlotReader,
  ) {}

  *slices(): Iterable<readonly Sample[]> {
    let samples: Sample[] = [];
    for (let slot = 0; slot < this.metrics.slotCount; slot++) {
      this.read(slot, samples);
      if (samples.length < SLICE_SAMPLES) continue;
      yield samples;
      samples = [];
    }
    yield samples;
  }
}

/** Keeps one object per label set, because prom-client remembers the printed text by identity. */
class SlotLabels {
  readonly #bySlot: Labels[] = [];
  readonly #byClass: Labels[] = [];

  constructor(private readonly metrics: CallMetrics) {}

  of(slot: number): Labels {
    return (this.#bySlot[slot] ??= { ...this.metrics.slotAt(slot) });
  }

  ofClass(slot: number, statusClass: number): Labels {
    const index = slot * STATUS_CLASSES.length + statusClass;
    return (this.#byClass[index] ??= {
      ...this.metrics.slotAt(slot),
      status_class: STATUS_CLASSES[statusClass] ?? 'none',
    });
  }
}

/** The families of the page that read `metrics` at scrape time. */
export function callFamilies(metrics: CallMetrics): MetricFamily[] {
  const labels = new SlotLabels(metrics);
  const perSlot = (definition: MetricDefinition, read: SlotReader): MetricFamily =>
    new SlotFamily(definition, metrics, read);
  return [
    perSlot(METRICS.requests, (slot, samples) => {
      const reserved = isReserved(metrics.slotAt(slot).service);
      for (let statusClass = 0; statusClass < STATUS_CLASSES.length; statusClass++) {
        const value = metrics.requestsOf(slot, statusClass);
        if (value === 0 && (reserved || !FROM_ZERO.has(statusClass))) continue;
        samples.push({ labels: NO_LABELS, sharedLabels: labels.ofClass(slot, statusClass), value });
      }
    }),
    perSlot(METRICS.requestDuration, (slot, samples) => {
      for (let statusClass = 0; statusClass < STATUS_CLASSES.length; statusClass++) {
        if (metrics.requestsOf(slot, statusClass) === 0) continue;
        pushHistogram(samples, metrics, slot, statusClass, labels.ofClass(slot, statusClass));
      }
    }),
    perSlot(METRICS.grpcRequests, (slot, samples) => {
      const counts = metrics.grpcOf(slot);
      for (const [status, name] of counts === undefined ? [] : GRPC_STATUS_NAMES.entries()) {
        const value = counts?.[status] ?? 0;
        // OK is printed from zero on, like 2xx: error ratios are made of it.
        if (value > 0 || status === 0)
          samples.push({ labels: { grpc_status: name }, sharedLabels: labels.of(slot), value });
      }
    }),
    perSlot(METRICS.requestsInFlight, (slot, samples) => {
      samples.push({ labels: NO_LABELS, sharedLabels: labels.of(slot), value: metrics.inFlightOf(slot) });
    }),
    perSlot(METRICS.retries, (slot, samples) => {
      pushCodes(samples, labels.of(slot), (index) => metrics.retriesOf(slot, index));
    }),
    perSlot(METRICS.rejections, (slot, samples) => {
      pushCodes(samples, labels.of(slot), (index) => metrics.rejectionsOf(slot, index));
    }),
    perSlot(METRICS.requestBytes, (slot, samples) => {
      samples.push({ labels: NO_LABELS, sharedLabels: labels.of(slot), value: metrics.requestBytesOf(slot) });
    }),
    perSlot(METRICS.responseBytes, (slot, samples) => {
      samples.push({ labels: NO_LABELS, sharedLabels: labels.of(slot), value: metrics.responseBytesOf(slot) });
    }),
    new SmallFamily(METRICS.requestsBySource, () =>
      Array.from(metrics.sources, ({ labels, count }) => ({ labels: NO_LABELS, sharedLabels: labels, value: count })),
    ),
    new SmallFamily(METRICS.responses, () =>
      Array.from(metrics.responses, ({ labels, count }) => ({ labels: NO_LABELS, sharedLabels: labels, value: count })),
    ),
    new SmallFamily(METRICS.seriesDropped, () => [{ labels: NO_LABELS, value: metrics.seriesDropped }]),
  ];
}

/** True for the services that stand for many. */
export function isReserved(service: string): boolean {
  return service === OTHER_SERVICE || service === UNKNOWN_SERVICE;
}

function pushHistogram(
  samples: Sample[],
  metrics: CallMetrics,
  slot: number,
  statusClass: number,
  sharedLabels: Labels,
): void {
  const { name } = METRICS.requestDuration;
  let cumulative = 0;
  for (let bucket = 0; bucket < DURATION_BUCKET_COUNT; bucket++) {
    cumulative += metrics.bucketOf(slot, statusClass, bucket);
    samples.push({
      metricName: `${name}_bucket`,
      labels: LE_LABELS[bucket] ?? NO_LABELS,
      sharedLabels,
      value: cumulative,
    });
  }
  samples.push({
    metricName: `${name}_sum`,
    labels: NO_LABELS,
    sharedLabels,
    value: metrics.secondsOf(slot, statusClass),
  });
  samples.push({ metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value: cumulative });
}

function pushCodes(samples: Sample[], sharedLabels: Labels, read: (codeIndex: number) => number): void {
  for (const [index, code] of COUNTED_CODES.entries()) {
    const value = read(index);
    if (value > 0) samples.push({ labels: { code }, sharedLabels, value });
  }
}

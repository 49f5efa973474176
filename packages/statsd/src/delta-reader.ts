import type { Labels, MetricDefinition, Sample } from '@mesher/core';
import { counterLine, gaugeLines, timerLines } from './stat-lines.js';
import type { StatNames } from './stat-names.js';
import { timerValues } from './timer-values.js';

const MS_PER_SECOND = 1000;

/** What a histogram had counted at the last look. */
interface SeenHistogram {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A histogram that is being gathered from its samples. */
interface GatheredHistogram {
  readonly labels: Labels;
  readonly bounds: number[];
  readonly cumulative: number[];
  sum: number;
}

/**
 * Finds out what was counted since the last look, by reading the families of the metrics page: calls themselves pay nothing for StatsD.
 * A series that was not there before began at zero.
 */
export class DeltaReader {
  readonly #counters = new Map<string, number>();
  readonly #histograms = new Map<string, SeenHistogram>();

  constructor(private readonly names: StatNames) {}

  /** Lines for what one portion of a family says; a portion has whole histograms. */
  read(definition: MetricDefinition, samples: readonly Sample[]): string[] {
    switch (definition.type) {
      case 'counter':
        return samples.flatMap((sample) => this.#counter(definition, sample));
      case 'gauge':
        return samples.flatMap((sample) => gaugeLines(this.names.of(definition, labelsOf(sample)), sample.value));
      case 'histogram':
        return gather(definition, samples).flatMap((one) => this.#histogram(definition, one));
      case 'summary':
        // Quantiles of one process cannot be added to those of others; the timers of the histogram can.
        return [];
    }
  }

  #counter(definition: MetricDefinition, sample: Sample): string[] {
    const labels = labelsOf(sample);
    const key = keyOf(definition, labels);
    const before = this.#counters.get(key) ?? 0;
    const { value } = sample;
    if (value === before) return [];
    this.#counters.set(key, value);
    // One that went back began anew.
    const delta = value > before ? value - before : value;
    return delta > 0 ? [counterLine(this.names.of(definition, labels), delta)] : [];
  }

  #histogram(definition: MetricDefinition, { labels, bounds, cumulative, sum }: GatheredHistogram): string[] {
    const key = keyOf(definition, labels);
    const counts = cumulative.map((count, index) => count - (cumulative[index - 1] ?? 0));
    const before = this.#histograms.get(key);
    const fresh = counts.map((count, index) => count - (before?.counts[index] ?? 0));
    if (fresh.every((count) => count === 0)) return [];
    this.#histograms.set(key, { counts, sum });
    const name = this.names.of(definition, labels);
    return timerValues(bounds, fresh, sum - (before?.sum ?? 0)).flatMap(({ value, count }) =>
      timerLines(name, value * MS_PER_SECOND, count),
    );
  }
}

/** The samples of histograms come as the text format has them: cumulative buckets, then `_sum` and `_count`. */
function gather({ name }: MetricDefinition, samples: readonly Sample[]): GatheredHistogram[] {
  const found: GatheredHistogram[] = [];
  let open: GatheredHistogram | undefined;
  for (const sample of samples) {
    const { metricName, value } = sample;
    if (metricName === `${name}_bucket`) {
      open ??= { labels: labelsOf(sample), bounds: [], cumulative: [], sum: 0 };
      const le = sample.labels['le'] ?? '+Inf';
      open.bounds.push(le === '+Inf' ? Infinity : Number(le));
      open.cumulative.push(value);
    } else if (metricName === `${name}_sum` && open !== undefined) open.sum = value;
    else if (metricName === `${name}_count` && open !== undefined) {
      found.push(open);
      open = undefined;
    }
  }
  return found;
}

function labelsOf({ labels, sharedLabels }: Sample): Labels {
  return sharedLabels === undefined ? labels : { ...sharedLabels, ...labels };
}

function keyOf({ name, labels: names }: MetricDefinition, labels: Labels): string {
  return names.reduce((key, label) => `${key}\n${labels[label] ?? ''}`, name);
}

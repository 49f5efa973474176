import { greatest, least, median } from './statistics.js';

/**
 * Everything that is measured. Memory is in MB (1,000,000 bytes) unless it is per connection or per open call (KB of
 * 1,000 bytes);
 * CPU is in microseconds per request, or in seconds per GB (1,000,000,000 bytes).
 */
export type Metric =
  | 'cpuMicros'
  | 'userMicros'
  | 'systemMicros'
  | 'perSecond'
  | 'meanMicros'
  | 'p50Micros'
  | 'p99Micros'
  | 'cpuSecondsPerGb'
  | 'gbPerSecond'
  | 'residentMb'
  | 'privateMb'
  | 'readyMillis'
  | 'heldConnections'
  | 'residentKbPerConnection'
  | 'privateKbPerConnection'
  | 'heldCalls'
  | 'residentKbPerCall'
  | 'privateKbPerCall';

/** One sample. With a fault it is shown as invalid and counted nowhere. */
export interface Sample {
  readonly values: Partial<Record<Metric, number>>;
  readonly fault?: string;
}

/** All samples of a run, by row and candidate. */
export class Results {
  private readonly samples = new Map<string, Sample[]>();

  add(row: string, candidate: string, sample: Sample): void {
    const key = `${row} ${candidate}`;
    const list = this.samples.get(key);
    if (list === undefined) this.samples.set(key, [sample]);
    else list.push(sample);
  }

  of(row: string, candidate: string): readonly Sample[] {
    return this.samples.get(`${row} ${candidate}`) ?? [];
  }

  /** Reasons of the invalid samples. */
  faults(row: string, candidate: string): readonly string[] {
    return this.of(row, candidate).flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  }

  /** The valid samples' values of one metric. */
  values(row: string, candidate: string, metric: Metric): readonly number[] {
    return this.of(row, candidate).flatMap(({ fault, values }) => {
      const value = values[metric];
      return fault !== undefined || value === undefined ? [] : [value];
    });
  }

  median(row: string, candidate: string, metric: Metric): number | undefined {
    return median(this.values(row, candidate, metric));
  }

  least(row: string, candidate: string, metric: Metric): number | undefined {
    return least(this.values(row, candidate, metric));
  }

  /** The greatest value over several rows. */
  greatest(rows: readonly string[], candidate: string, metric: Metric): number | undefined {
    return greatest(rows.flatMap((row) => this.values(row, candidate, metric)));
  }

  /** Median of one candidate over median of another; undefined when either is missing or the other is 0. */
  ratio(row: string, candidate: string, reference: string, metric: Metric): number | undefined {
    const value = this.median(row, candidate, metric);
    const against = this.median(row, reference, metric);
    return value === undefined || against === undefined || against === 0 ? undefined : value / against;
  }

  /** Row and candidate of every cell, with all samples: the raw data. */
  entries(): readonly { readonly row: string; readonly candidate: string; readonly samples: readonly Sample[] }[] {
    return [...this.samples].map(([key, samples]) => {
      const [row = '', candidate = ''] = key.split(' ');
      return { row, candidate, samples };
    });
  }
}

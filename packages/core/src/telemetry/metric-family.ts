export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** The chapters of the metrics reference. */
export type MetricGroup =
  'calls' | 'policies' | 'configuration' | 'connections' | 'registry' | 'health' | 'process' | 'compatibility';

/** What a metric is, apart from its values. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: MetricType;
  readonly group: MetricGroup;
  /** Label names in the order in which they are printed; `le` and `quantile` are implied by the type. */
  readonly labels: readonly string[];
  readonly help: string;
}

/** Numbers are printed as they are; prom-client escapes strings. */
export type Labels = Readonly<Record<string, string | number>>;

/** One line of the page, in the shape that prom-client's registry prints. */
export interface Sample {
  /** Left out when it is the name of the family; histograms and summaries add `_bucket`, `_sum`, `_count`. */
  readonly metricName?: string;
  readonly labels: Labels;
  /**
   * Labels that many samples share. prom-client prints each such object once and remembers the text by the identity of the
   * object, so it pays to keep the object.
   */
  readonly sharedLabels?: Labels;
  /** Never NaN: prom-client writes `Nan` for it, which the text format does not know. */
  readonly value: number;
}

/** A metric and the way to read its values. */
export interface MetricFamily {
  readonly definition: MetricDefinition;
  /**
   * The samples at this moment, in portions. Between two portions the page may let the event loop go on; a portion is printed
   * without interruption, so all samples of one histogram belong into the same one.
   */
  slices(): Iterable<readonly Sample[]> | AsyncIterable<readonly Sample[]>;
}

/** A family small enough for one portion. */
export class SmallFamily implements MetricFamily {
  /** @param read called at each scrape */
  constructor(
    readonly definition: MetricDefinition,
    private readonly read: () => readonly Sample[],
  ) {}

  *slices(): Iterable<readonly Sample[]> {
    yield this.read();
  }
}

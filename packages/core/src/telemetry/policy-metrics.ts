import { POLICY_METRICS } from './policy-metric-catalog.js';
import { SmallFamily, type Labels, type MetricDefinition, type MetricFamily, type Sample } from './metric-family.js';

export type PolicyMetricName = keyof typeof POLICY_METRICS;

/** Series of one counter, beyond which the rest is counted together: label values may come from callers. */
export const MAX_SERIES = 1000;

/** Label value of all series beyond the bound. */
const OTHER = '(other)';

/** A counter with labels; its series are bounded. */
export class LabelledCounter {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(private readonly names: readonly string[]) {}

  /** @param values label values, in the order of the definition */
  add(values: readonly string[], amount = 1): void {
    const key = values.join('\n');
    const found = this.#counts.get(key);
    if (found !== undefined) found.value += amount;
    else if (this.#counts.size >= MAX_SERIES && values.some((value) => value !== OTHER)) {
      this.add(
        this.names.map(() => OTHER),
        amount,
      );
    } else this.#counts.set(key, { labels: labelled(this.names, values), value: amount });
  }

  samples(): Sample[] {
    return Array.from(this.#counts.values(), ({ labels, value }) => ({ labels, value }));
  }
}

/** Reports the present values of a gauge: label values in the order of the definition. */
export type GaugeReader = (report: (values: readonly string[], value: number) => void) => void;

/** The numbers of policies. Counters are shared by all that ask for the same one; a gauge is read from all of its readers. */
export class PolicyMetrics {
  readonly #counters = new Map<PolicyMetricName, LabelledCounter>();
  readonly #readers = new Map<PolicyMetricName, GaugeReader[]>();

  counter(name: PolicyMetricName): LabelledCounter {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = new LabelledCounter(POLICY_METRICS[name].labels);
      this.#counters.set(name, counter);
    }
    return counter;
  }

  gauge(name: PolicyMetricName, read: GaugeReader): void {
    const readers = this.#readers.get(name);
    if (readers === undefined) this.#readers.set(name, [read]);
    else readers.push(read);
  }

  /** All families of the catalogue, those without samples included. */
  families(): MetricFamily[] {
    return (Object.keys(POLICY_METRICS) as PolicyMetricName[]).map(
      (name) => new SmallFamily(POLICY_METRICS[name], () => this.#samples(name, POLICY_METRICS[name])),
    );
  }

  #samples(name: PolicyMetricName, { labels }: MetricDefinition): Sample[] {
    const samples = this.#counters.get(name)?.samples() ?? [];
    for (const read of this.#readers.get(name) ?? []) {
      read((values, value) => samples.push({ labels: labelled(labels, values), value }));
    }
    return samples;
  }
}

function labelled(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

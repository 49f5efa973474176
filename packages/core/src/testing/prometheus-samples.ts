import type { PrometheusFamily, PrometheusSample } from './prometheus-text.js';

/** The samples of a family whose labels include `labels`; `name` chooses `_sum` and the like, the family's own name by default. */
export function findSamples(
  family: PrometheusFamily | undefined,
  labels: Readonly<Record<string, string>> = {},
  name: string | undefined = family?.name,
): PrometheusSample[] {
  const wanted = Object.entries(labels);
  return (family?.samples ?? []).filter(
    (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels.get(key) === value),
  );
}

/**
 * The value of the one sample that {@link findSamples} finds; undefined when there is none.
 * @throws Error when there are several
 */
export function sampleValue(
  family: PrometheusFamily | undefined,
  labels: Readonly<Record<string, string>> = {},
  name: string | undefined = family?.name,
): number | undefined {
  const found = findSamples(family, labels, name);
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} have the labels ${JSON.stringify(labels)}`);
  return found[0]?.value;
}

/**
 * Checks what must hold of every histogram: bounds rise and end with `+Inf`, counts are cumulative, `_count` is the last of them,
 * and there is one `_sum`.
 * @returns how many histograms (label sets) the family has
 * @throws Error that names the first histogram and the rule that it breaks
 */
export function checkHistograms(family: PrometheusFamily | undefined): number {
  const series = new Map<string, PrometheusSample[]>();
  for (const sample of family?.samples ?? []) {
    const key = JSON.stringify([...sample.labels].filter(([label]) => label !== 'le').sort());
    const known = series.get(key);
    if (known === undefined) series.set(key, [sample]);
    else known.push(sample);
  }
  for (const [key, samples] of series) {
    const broken = brokenRule(samples);
    if (broken !== undefined) throw new Error(`${family?.name} ${key}: ${broken}`);
  }
  return series.size;
}

function brokenRule(samples: readonly PrometheusSample[]): string | undefined {
  const ending = (suffix: string): PrometheusSample[] => samples.filter((sample) => sample.name.endsWith(suffix));
  const buckets = ending('_bucket');
  const bounds = buckets.map(({ labels }) => Number(labels.get('le')?.replace('+Inf', 'Infinity')));
  const counts = buckets.map((sample) => sample.value);
  if (bounds.at(-1) !== Infinity) return 'the last bucket is not +Inf';
  if (bounds.some((bound, index) => !(bound > (bounds[index - 1] ?? -Infinity)))) return 'the bounds do not rise';
  if (counts.some((count, index) => count < (counts[index - 1] ?? 0))) return 'the buckets are not cumulative';
  if (ending('_count').length !== 1 || ending('_count')[0]?.value !== counts.at(-1))
    return '_count is not the +Inf bucket';
  return ending('_sum').length === 1 ? undefined : 'there is not one _sum';
}

/** One value that stands for several. */
export interface TimerValue {
  readonly value: number;
  readonly count: number;
}

/** Where in its bucket a value is taken to be when the values beyond all buckets make their sum say nothing about the others. */
const MIDDLE = 0.5;

/**
 * Values that stand for those in a histogram: one for each bucket. Their sum is the true one, so that means are exact; each lies within its
 * bucket, so that a quantile is as exact as the buckets are.
 * @param bounds upper bounds of the buckets, the last one infinite; in any unit
 * @param counts values in each bucket, not cumulative
 * @param sum of all values, in the unit of the bounds
 */
export function timerValues(bounds: readonly number[], counts: readonly number[], sum: number): TimerValue[] {
  let least = 0;
  let slack = 0;
  let beyond = 0;
  for (const [index, count] of counts.entries()) {
    const lower = bounds[index - 1] ?? 0;
    const upper = bounds[index] ?? Infinity;
    least += count * lower;
    if (Number.isFinite(upper)) slack += count * (upper - lower);
    else beyond += count;
  }
  const rest = Math.max(0, sum - least);
  // The same part of each bucket, so that the sum comes out right.
  const part = beyond > 0 ? MIDDLE : slack === 0 ? 0 : Math.min(1, rest / slack);
  const excess = beyond === 0 ? 0 : Math.max(0, rest - part * slack) / beyond;
  return counts.flatMap((count, index) => {
    if (count <= 0) return [];
    const lower = bounds[index - 1] ?? 0;
    const upper = bounds[index] ?? Infinity;
    const value = Number.isFinite(upper) ? lower + part * (upper - lower) : lower + excess;
    return [{ value, count }];
  });
}

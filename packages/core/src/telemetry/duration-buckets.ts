/**
 * Upper bounds of the request duration histogram in seconds, inclusive (`le`).
 *
 * From half a millisecond, because the sidecar itself may add at most one and that must show, to a minute, because every
 * usual timeout (go-chassis 30 s, dial 60 s) ends there. The steps 1-2.5-5 hold the round numbers that objectives are written in
 * (100 ms, 250 ms, 1 s), so a share "below 250 ms" is exact, and an interpolated quantile is off by a factor of 2.5 at most.
 * Sixteen bounds, not more: every one costs a line per service, direction and status class in every scrape.
 */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** The same bounds in the unit in which durations are recorded. */
export const DURATION_BUCKETS_MS: Float64Array = Float64Array.from(DURATION_BUCKETS_SECONDS, (bound) => bound * 1000);

/** Buckets including the last one, `+Inf`. */
export const DURATION_BUCKET_COUNT: number = DURATION_BUCKETS_MS.length + 1;

/**
 * Index of the bucket that `durationMs` falls into: the first whose bound is not below it, `DURATION_BUCKET_COUNT - 1` (`+Inf`)
 * when there is none. A binary search of four comparisons; it allocates nothing.
 */
export function durationBucket(durationMs: number): number {
  let low = 0;
  let high = DURATION_BUCKETS_MS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (durationMs <= DURATION_BUCKETS_MS[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

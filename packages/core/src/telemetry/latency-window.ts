import type { Direction } from '../invocation.js';
import type { Clock } from '../ports/ports.js';
import { STATUS_CLASSES } from './call-metrics.js';
import type { CallMetrics } from './call-metrics.js';
import { DURATION_BUCKETS_SECONDS, DURATION_BUCKET_COUNT } from './duration-buckets.js';

/** Half of the window of the Go client's summaries (10 minutes), which the original mesher used. */
const HALF_WINDOW_MS = 5 * 60_000;

/**
 * Quantiles of the last 5 to 10 minutes, from the same buckets that the histogram has: it keeps a copy of the counts at the
 * start of the window and looks at the difference. The copy is made during scrapes, so nobody pays for it who does not scrape;
 * when scrapes are rare the window is longer.
 */
export class LatencyWindow {
  #older = new Float64Array(0);
  #newer = new Float64Array(0);
  #newerTakenAt: number;

  constructor(
    private readonly metrics: CallMetrics,
    private readonly direction: Direction,
    private readonly clock: Clock,
  ) {
    this.#newerTakenAt = clock.now();
  }

  /** Moves the window on if it is time; call it once per scrape. */
  advance(): void {
    const now = this.clock.now();
    if (now - this.#newerTakenAt < HALF_WINDOW_MS) return;
    this.#older = this.#newer;
    this.#newer = this.#copyCounts();
    this.#newerTakenAt = now;
  }

  /**
   * The quantiles of one slot in seconds, by linear interpolation within a bucket as `histogram_quantile()` does; undefined when
   * nothing was counted within the window.
   * @param quantiles between 0 and 1
   */
  quantilesOf(slot: number, quantiles: readonly number[]): number[] | undefined {
    const base = slot * DURATION_BUCKET_COUNT;
    const counts = Array.from(
      { length: DURATION_BUCKET_COUNT },
      (_, bucket) => this.#countOf(slot, bucket) - (this.#older[base + bucket] ?? 0),
    );
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return undefined;
    return quantiles.map((quantile) => interpolate(counts, quantile * total));
  }

  #countOf(slot: number, bucket: number): number {
    let count = 0;
    for (let statusClass = 0; statusClass < STATUS_CLASSES.length; statusClass++) {
      count += this.metrics.bucketOf(slot, statusClass, bucket);
    }
    return count;
  }

  #copyCounts(): Float64Array<ArrayBuffer> {
    const slots = this.metrics.slotCount;
    const copy = new Float64Array(slots * DURATION_BUCKET_COUNT);
    for (let slot = 0; slot < slots; slot++) {
      if (this.metrics.slotAt(slot).direction !== this.direction) continue;
      for (let bucket = 0; bucket < DURATION_BUCKET_COUNT; bucket++) {
        copy[slot * DURATION_BUCKET_COUNT + bucket] = this.#countOf(slot, bucket);
      }
    }
    return copy;
  }
}

function interpolate(counts: readonly number[], rank: number): number {
  const highest = DURATION_BUCKETS_SECONDS.at(-1) ?? 0;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const lower = bucket === 0 ? 0 : (DURATION_BUCKETS_SECONDS[bucket - 1] ?? highest);
      const upper = DURATION_BUCKETS_SECONDS[bucket] ?? highest;
      return lower + (upper - lower) * ((rank - below) / count);
    }
    below += count;
  }
  return highest;
}

import type { Sample } from './simulate.js';

/** What a run comes to. */
export interface Summary {
  readonly requests: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** 0..1 */
  readonly failed: number;
  /** Part of all requests that went to the watched backend, 0..1. */
  readonly toWatched: number;
}

export function summarize(samples: readonly Sample[], watched: number): Summary {
  const durations = Float64Array.from(samples, ({ durationMs }) => durationMs).sort();
  const part = (holds: (sample: Sample) => boolean): number => samples.filter(holds).length / samples.length;
  return {
    requests: samples.length,
    medianMs: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    failed: part(({ status }) => status !== 200),
    toWatched: part(({ backend }) => backend === watched),
  };
}

/** The 99th percentile of the requests that began in each second. */
export function p99BySecond(
  samples: readonly Sample[],
  fromMs: number,
  toMs: number,
): readonly (readonly [number, number])[] {
  const points: [number, number][] = [];
  for (let begin = fromMs; begin + 1000 <= toMs; begin += 1000) {
    const durations = Float64Array.from(
      samples.filter(({ startedAt }) => startedAt >= begin && startedAt < begin + 1000),
      ({ durationMs }) => durationMs,
    ).sort();
    if (durations.length > 0) points.push([begin / 1000, percentile(durations, 0.99)]);
  }
  return points;
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Buckets of 10 us up to 1 s: finer than the noise of any run. */
const BUCKET_MICROS = 10;
const BUCKETS = 100_000;

/** Counts latencies in microseconds in fixed buckets; recording allocates nothing. */
export class LatencyHistogram {
  private readonly counts = new Uint32Array(BUCKETS + 1);
  private total = 0;

  record(micros: number): void {
    const bucket = Math.min(Math.floor(micros / BUCKET_MICROS), BUCKETS);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.total += 1;
  }

  /** The upper edge, in microseconds, of the bucket in which the given share (0 to 1) is reached; 0 when nothing was recorded. */
  percentile(share: number): number {
    const rank = Math.ceil(this.total * share);
    let seen = 0;
    for (let bucket = 0; bucket <= BUCKETS; bucket += 1) {
      seen += this.counts[bucket] ?? 0;
      if (rank > 0 && seen >= rank) return (bucket + 1) * BUCKET_MICROS;
    }
    return 0;
  }
}

/** How arrivals are spread over time. */
export interface Spread {
  readonly count: number;
  /** Milliseconds between the first and the last. */
  readonly durationMs: number;
  /** Most of them within one second. */
  readonly mostPerSecond: number;
}

const SECOND_MS = 1_000;
/** Characters of the longest bar. */
const BAR = 50;

export function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  let mostPerSecond = 0;
  let from = 0;
  for (let to = 0; to < sorted.length; to++) {
    while ((sorted[to] as number) - (sorted[from] as number) >= SECOND_MS) from++;
    mostPerSecond = Math.max(mostPerSecond, to - from + 1);
  }
  const durationMs = sorted.length === 0 ? 0 : (sorted.at(-1) as number) - (sorted[0] as number);
  return { count: sorted.length, durationMs, mostPerSecond };
}

/** How many arrive in each second from `begin` on, `seconds` of them. */
export function perSecond(times: readonly number[], begin: number, seconds: number): readonly number[] {
  const counts = new Array<number>(seconds).fill(0);
  for (const time of times) {
    const second = Math.floor((time - begin) / SECOND_MS);
    if (second >= 0 && second < seconds) counts[second]!++;
  }
  return counts;
}

/** A histogram in words, a line for each second. */
export function histogram(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts
    .map((count, second) => `${String(second).padStart(3)} s ${'#'.repeat(Math.round((count / most) * BAR))} ${count}`)
    .join('\n');
}

/** What one run of h2load came to. */
export interface Http2LoadResult {
  /** Calls that ended with a status 2xx. */
  readonly requests: number;
  readonly seconds: number;
  /** Bytes of bodies that arrived. */
  readonly bodyBytes: number;
  readonly meanMicros: number;
  /** Reasons why this run must not be counted. */
  readonly faults: readonly string[];
}

const MICROS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6 };
const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1 };

/**
 * Reads what `h2load` prints at its end.
 *
 * @throws Error when a figure is missing: a guess would be worse
 */
export function parseH2load(text: string): Http2LoadResult {
  const find = (what: string, pattern: RegExp): RegExpExecArray => {
    const match = pattern.exec(text);
    if (match === null) throw new Error(`h2load printed no ${what}: ${JSON.stringify(text.slice(-300))}`);
    return match;
  };
  const [, seconds, secondsUnit] = find('time', /^finished in ([\d.]+)(us|ms|s), /m);
  const total = find(
    'total',
    /^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m,
  );
  const statuses = find('status codes', /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m);
  const [, bodyBytes] = find('traffic', /^traffic: .*, \S+ \((\d+)\) data$/m);
  const mean = find('time for request', /^time for request: +\S+ +\S+ +([\d.]+)(us|ms|s) /m);
  const requests = Number(total[1]);
  const faults = ['failed', 'errored', 'timed out'].flatMap((word, index) => fault(total[index + 2], `calls ${word}`));
  for (const [index, kind] of ['3xx', '4xx', '5xx'].entries())
    faults.push(...fault(statuses[index + 2], `statuses ${kind}`));
  if (requests === 0) faults.push('no call succeeded');
  return {
    requests,
    seconds: Number(seconds) * (SECONDS[secondsUnit ?? ''] ?? 1),
    bodyBytes: Number(bodyBytes),
    meanMicros: Number(mean[1]) * (MICROS[mean[2] ?? ''] ?? 1),
    faults,
  };
}

function fault(count: string | undefined, words: string): string[] {
  return Number(count) > 0 ? [`${count} ${words}`] : [];
}

import type { LoadResult } from './load-result.js';

const MICROS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };
const SECONDS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/**
 * Reads what `wrk --latency` prints.
 *
 * Each figure is taken from its own line only: the percentiles from the block "Latency Distribution", since the table
 * above it has a "Latency" line and percent signs of its own.
 *
 * @throws Error when a figure is missing: a guess would be worse
 */
export function parseWrk(text: string): LoadResult {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const total = find(lines, /^(\d+) requests in ([\d.]+)(us|ms|s|m|h), ([\d.]+)(B|KB|MB|GB|TB) read$/);
  if (total === undefined) throw new Error(`wrk printed no total: ${JSON.stringify(text.slice(0, 300))}`);
  const faults: string[] = [];
  const errors = find(lines, /^Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)$/);
  if (errors !== undefined) {
    const names = ['connect errors', 'read errors', 'write errors', 'timeouts'];
    names.forEach((name, index) => {
      const count = Number(errors[index + 1]);
      if (count > 0) faults.push(`${count} ${name}`);
    });
  }
  const statuses = find(lines, /^Non-2xx or 3xx responses: (\d+)$/);
  if (statuses !== undefined) faults.push(`${statuses[1]} answers with an error status`);
  const requests = Number(total[1]);
  if (requests === 0) faults.push('no request completed');
  return {
    requests,
    seconds: Number(total[2]) * unit(SECONDS, total[3]),
    bytes: Number(total[4]) * unit(BYTES, total[5]),
    p50Micros: percentile(lines, '50%'),
    p99Micros: percentile(lines, '99%'),
    faults,
  };
}

function percentile(lines: readonly string[], name: string): number {
  const start = lines.indexOf('Latency Distribution');
  if (start < 0) throw new Error('wrk printed no latency distribution');
  for (const line of lines.slice(start + 1)) {
    const match = /^(\d+%)\s+([\d.]+)(us|ms|s|m|h)$/.exec(line);
    if (match === null) break;
    if (match[1] === name) return Number(match[2]) * unit(MICROS, match[3]);
  }
  throw new Error(`wrk printed no ${name} latency`);
}

function find(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return undefined;
}

function unit(table: Readonly<Record<string, number>>, name: string | undefined): number {
  const factor = table[name ?? ''];
  if (factor === undefined) throw new Error(`wrk printed an unknown unit ${String(name)}`);
  return factor;
}

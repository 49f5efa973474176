import type { Http2LoadResult } from '../load/parse-h2load.js';
import type { Http2Generator } from '../load/h2load.js';
import type { CpuSeconds } from '../process/process-tree.js';
import type { Upstream } from '../upstream/upstream.js';
import type { CallsRow, StreamingRow } from './http2-rows.js';
import type { Metric } from './results.js';

const MICROS = 1e6;
const GIGA = 1e9;

/** What one run of calls came to; CPU is only known afterwards. */
export interface CallsOutcome {
  readonly faults: readonly string[];
  rate(cpu: CpuSeconds): Partial<Record<Metric, number>>;
}

/** Who is called. */
export interface CallsSubject {
  readonly port: number;
  readonly grpcPort: number;
}

/**
 * Makes one run of calls and holds its successes against what the upstream answered: a proxy that answers by itself, with a status 200
 * and a gRPC status that no load generator looks at, must not pass as a fast one.
 */
export async function makeCalls(
  generator: Http2Generator,
  upstream: Upstream,
  subject: CallsSubject,
  row: CallsRow | StreamingRow,
  seconds: number,
): Promise<CallsOutcome> {
  const before = await upstream.count(row.upstream);
  const result = await generator.run({
    port: row.upstream === 'grpc' ? subject.grpcPort : subject.port,
    authority: row.authority,
    paths: row.paths,
    connections: row.connections,
    streams: row.streams,
    seconds,
    headers: row.headers,
    body: row.body,
  });
  const after = await upstream.count(row.upstream);
  const answered = after.answered - before.answered;
  const faults = [...result.faults];
  if (answered < result.requests) faults.push(`${result.requests} calls succeeded, the upstream answered ${answered}`);
  if (row.kind === 'calls') {
    if (result.bodyBytes / result.requests < row.bodyBytes) faults.push('answers shorter than their bodies should be');
    return { faults, rate: (cpu) => callValues(result, cpu) };
  }
  const bytes = row.direction === 'down' ? result.bodyBytes : after.received - before.received;
  return { faults, rate: (cpu) => streamingValues(bytes / GIGA, result.seconds, cpu) };
}

function callValues(result: Http2LoadResult, cpu: CpuSeconds): Partial<Record<Metric, number>> {
  return {
    cpuMicros: ((cpu.user + cpu.system) * MICROS) / result.requests,
    userMicros: (cpu.user * MICROS) / result.requests,
    systemMicros: (cpu.system * MICROS) / result.requests,
    perSecond: result.requests / result.seconds,
    meanMicros: result.meanMicros,
  };
}

function streamingValues(gigabytes: number, seconds: number, cpu: CpuSeconds): Partial<Record<Metric, number>> {
  return { cpuSecondsPerGb: (cpu.user + cpu.system) / gigabytes, gbPerSecond: gigabytes / seconds };
}

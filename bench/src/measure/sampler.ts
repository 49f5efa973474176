import type { RunningCandidate } from '../candidates/running.js';
import type { BulkResult, BulkTask } from '../load/bulk-main.js';
import { nodeGenerator, runHelper, type LoadGenerator } from '../load/generator.js';
import type { Http2Generator } from '../load/h2load.js';
import type { LoadResult } from '../load/load-result.js';
import { readCpu, readMemory, type CpuSeconds } from '../process/process-tree.js';
import type { Lab } from '../process/lab.js';
import type { Upstream } from '../upstream/upstream.js';
import type { CallsRow, StreamingRow } from './http2-rows.js';
import { makeCalls } from './http2-sampler.js';
import type { Metric, Sample } from './results.js';
import type { BulkRow, RateRow, RequestsRow } from './rows.js';

const BYTES_PER_KIB = 1_024;
const MEGA = 1e6;
const GIGA = 1e9;
const MICROS = 1e6;

/** What samples are taken with. */
export interface Instruments {
  readonly lab: Lab;
  readonly generator: LoadGenerator;
  /** Undefined where h2load is missing. */
  readonly http2: Http2Generator | undefined;
  readonly upstream: Upstream;
  readonly loadCore: number | undefined;
  readonly ticksPerSecond: number;
  readonly seconds: number;
}

/** Who is measured: a running candidate, or with no pids a port whose owner costs nothing that we count. */
export type Subject = Pick<RunningCandidate, 'pids' | 'port' | 'sinkPort' | 'grpcPort'>;

/** A row that is measured on long-lived instances. */
export type SteadyRow = RequestsRow | RateRow | BulkRow | CallsRow | StreamingRow;

/** Takes one sample; whatever goes wrong becomes the sample's fault. */
export async function takeSample(instruments: Instruments, subject: Subject, row: SteadyRow): Promise<Sample> {
  try {
    const before = readCpu(subject.pids, instruments.ticksPerSecond);
    const outcome = await exercise(instruments, subject, row);
    const after = readCpu(subject.pids, instruments.ticksPerSecond);
    if (outcome.faults.length > 0) return { values: {}, fault: outcome.faults.join(', ') };
    return { values: { ...outcome.rate(difference(before, after)), ...memoryValues(subject.pids) } };
  } catch (error) {
    return { values: {}, fault: (error as Error).message };
  }
}

/** Resident and private memory now, in MB. */
export function memoryValues(pids: readonly number[]): Partial<Record<Metric, number>> {
  const memory = readMemory(pids);
  return {
    residentMb: (memory.resident * BYTES_PER_KIB) / MEGA,
    privateMb: (memory.anonymous * BYTES_PER_KIB) / MEGA,
  };
}

interface Exercise {
  readonly faults: readonly string[];
  rate(cpu: CpuSeconds): Partial<Record<Metric, number>>;
}

async function exercise(instruments: Instruments, subject: Subject, row: SteadyRow): Promise<Exercise> {
  if (row.kind === 'bulk') return moveBytes(instruments, subject, row);
  if (row.kind === 'calls' || row.kind === 'streaming') {
    if (instruments.http2 === undefined) throw new Error('h2load is not installed');
    return makeCalls(instruments.http2, instruments.upstream, subject, row, instruments.seconds);
  }
  const close = row.kind === 'requests' && row.close;
  const order = {
    port: subject.port,
    path: row.path,
    connections: row.connections,
    seconds: instruments.seconds,
    close,
  };
  const generator =
    row.kind === 'rate' ? nodeGenerator(instruments.lab, instruments.loadCore, row.perSecond) : instruments.generator;
  const result = await generator.run(order);
  return { faults: [...result.faults, ...shortfall(result, row)], rate: (cpu) => requestValues(result, cpu) };
}

/** Answers that are too short, or a rate that was not kept: the burst did not ask what the row says. */
function shortfall(result: LoadResult, row: RequestsRow | RateRow): string[] {
  if (row.kind === 'requests') {
    return result.bytes / result.requests < row.bodyBytes ? ['answers shorter than their bodies should be'] : [];
  }
  const kept = result.requests / result.seconds / row.perSecond;
  return kept < 0.9 ? [`only ${Math.round(kept * 100)} % of the rate was kept`] : [];
}

function requestValues(result: LoadResult, cpu: CpuSeconds): Partial<Record<Metric, number>> {
  return {
    cpuMicros: ((cpu.user + cpu.system) * MICROS) / result.requests,
    userMicros: (cpu.user * MICROS) / result.requests,
    systemMicros: (cpu.system * MICROS) / result.requests,
    perSecond: result.requests / result.seconds,
    p50Micros: result.p50Micros,
    p99Micros: result.p99Micros,
  };
}

async function moveBytes(instruments: Instruments, subject: Subject, row: BulkRow): Promise<Exercise> {
  const port = row.direction === 'down' ? subject.port : subject.sinkPort;
  if (port === undefined) throw new Error('it has no listener for uploads');
  const task: BulkTask = { direction: row.direction, port, path: row.path, seconds: instruments.seconds };
  const result = await runHelper<BulkResult>(
    instruments.lab,
    'load/bulk-main.js',
    instruments.loadCore,
    task,
    instruments.seconds,
  );
  const gigabytes = result.bytes / GIGA;
  return {
    faults: result.faults,
    rate: (cpu) => ({
      cpuSecondsPerGb: (cpu.user + cpu.system) / gigabytes,
      gbPerSecond: gigabytes / result.seconds,
    }),
  };
}

function difference(before: CpuSeconds, after: CpuSeconds): CpuSeconds {
  return { user: after.user - before.user, system: after.system - before.system };
}

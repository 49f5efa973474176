import { setTimeout as delay } from 'node:timers/promises';
import type { BulkResult, BulkTask } from '../load/bulk-main.js';
import type { IdleTask } from '../load/idle-main.js';
import { parseWrk } from '../load/parse-wrk.js';
import type { LaunchSpec } from '../process/launch.js';
import { helperProgram } from '../process/helper-program.js';
import type { Lab } from '../process/lab.js';
import { readCpu, readMemory } from '../process/process-tree.js';
import { ticksPerSecond } from '../process/tools.js';
import type { EchoResult, EchoTask } from './echo-main.js';
import { FAR_ADDRESS, type BenchNetwork } from './network.js';
import { add, type RowId, type Samples } from './rows.js';
import { ECHO_PORT, HTTP_PORT, LARGE_PATH, SINK_PORT, SMALL_PATH } from './servers.js';

const SLACK_MS = 20_000;
const SETTLE_MS = 500;
/** The user whose connections the rules bring to the interceptor. */
const APPLICATION = 2_000;
const NEW_CONNECTION_LANES = 32;
const KEPT_CONNECTIONS = 64;

const BULK = [
  ['down', ['down']],
  ['up', ['up']],
  ['both', ['down', 'up']],
] as const;
const REQUESTS = [
  ['new', NEW_CONNECTION_LANES, true],
  ['http', KEPT_CONNECTIONS, false],
] as const;

/** Takes samples of one process, or of a direct connection where there is none. */
export class Sampler {
  readonly #ticks = ticksPerSecond();

  constructor(
    private readonly lab: Lab,
    private readonly network: BenchNetwork,
    private readonly core: number | undefined,
    private readonly seconds: number,
  ) {}

  /**
   * One round of everything but idle connections. What fails is told, and the rest is measured all the same.
   * @param pid of the interceptor
   * @returns what failed
   */
  async round(samples: Samples, pid: number | undefined): Promise<string[]> {
    const failures: string[] = [];
    const guarded = async (row: RowId, work: () => Promise<void>): Promise<void> => {
      await work().catch((error: unknown) => failures.push(`${row}: ${(error as Error).message}`));
    };
    for (const [row, directions] of BULK) {
      await guarded(row, async () => {
        const { cpu, result } = await this.#measured(pid, () => this.#bulk(directions));
        add(samples, row, cpu / (result / 1e9));
      });
    }
    await guarded('turn', async () => {
      const { cpu, result } = await this.#measured(pid, () => this.#echo());
      add(samples, 'turn', (cpu * 1e6) / result.turns);
      add(samples, 'p50', result.p50Micros);
      add(samples, 'p99', result.p99Micros);
    });
    for (const [row, lanes, close] of REQUESTS) {
      await guarded(row, async () => {
        const { cpu, result } = await this.#measured(pid, () => this.#requests(lanes, close));
        add(samples, row, (cpu * 1e6) / result);
      });
    }
    if (pid !== undefined) add(samples, 'loaded', residentMb(pid));
    return failures;
  }

  /** Resident memory with as many connections, of which each has made one request. */
  async held(pid: number, connections: number): Promise<number> {
    const task: IdleTask = { host: FAR_ADDRESS, port: HTTP_PORT, path: SMALL_PATH, connections };
    const holder = await this.lab.start(this.#client(helperProgram('load/idle-main.js', this.core, task)));
    try {
      const line = await holder.nextLine((text) => text.startsWith('{'), SLACK_MS * 3);
      const { faults } = JSON.parse(line ?? '{"faults":["they could not be made"]}') as { faults: string[] };
      if (faults.length > 0) throw new Error(`${connections} connections: ${faults.slice(0, 3).join(', ')}`);
      await delay(SETTLE_MS);
      return residentMb(pid);
    } finally {
      await holder.stop();
    }
  }

  async #measured<T>(pid: number | undefined, work: () => Promise<T>): Promise<{ cpu: number; result: T }> {
    const before = this.#cpu(pid);
    const result = await work();
    return { cpu: this.#cpu(pid) - before, result };
  }

  #cpu(pid: number | undefined): number {
    if (pid === undefined) return 0;
    const { user, system } = readCpu([pid], this.#ticks);
    return user + system;
  }

  /** @returns bytes that were moved */
  async #bulk(directions: readonly ('down' | 'up')[]): Promise<number> {
    const moved = directions.map(async (direction) => {
      const port = direction === 'down' ? HTTP_PORT : SINK_PORT;
      const task: BulkTask = { direction, host: FAR_ADDRESS, port, path: LARGE_PATH, seconds: this.seconds };
      const { bytes, faults } = await this.#helper<BulkResult>('load/bulk-main.js', task);
      if (faults.length > 0) throw new Error(faults.join(', '));
      return bytes;
    });
    return (await Promise.all(moved)).reduce((sum, bytes) => sum + bytes, 0);
  }

  async #echo(): Promise<EchoResult> {
    const task: EchoTask = { host: FAR_ADDRESS, port: ECHO_PORT, seconds: this.seconds };
    return await this.#helper<EchoResult>('transparent/echo-main.js', task);
  }

  /** @returns requests that were answered */
  async #requests(lanes: number, close: boolean): Promise<number> {
    const args = ['-t1', `-c${lanes}`, `-d${this.seconds}s`, '--latency', '--timeout', '10s'];
    if (close) args.push('-H', 'Connection: close');
    args.push(`http://${FAR_ADDRESS}:${HTTP_PORT}${SMALL_PATH}`);
    const { requests, faults } = parseWrk(await this.#run({ command: 'wrk', args, core: this.core }));
    if (faults.length > 0) throw new Error(faults.join(', '));
    return requests;
  }

  async #helper<T>(module: string, task: object): Promise<T> {
    return JSON.parse(await this.#run(helperProgram(module, this.core, task))) as T;
  }

  async #run(spec: LaunchSpec): Promise<string> {
    const { code, stdout, stderr } = await this.lab.run(this.#client(spec), this.seconds * 1e3 + SLACK_MS);
    if (code !== 0) throw new Error(`${spec.args.join(' ').slice(0, 120)}: ${stderr.slice(-300)}`);
    return stdout;
  }

  #client(spec: LaunchSpec): LaunchSpec {
    return this.network.on('near', spec, APPLICATION);
  }
}

export function residentMb(pid: number): number {
  return (readMemory([pid]).resident * 1024) / 1e6;
}

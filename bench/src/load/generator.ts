import { REQUEST_HEADERS, SERVICE } from '../net/request-head.js';
import { helperProgram } from '../process/helper-program.js';
import type { Lab } from '../process/lab.js';
import { findProgram, versionOf } from '../process/tools.js';
import type { LoadOrder, LoadResult } from './load-result.js';
import { parseWrk } from './parse-wrk.js';

/** Beyond the length of a burst: start, connections, and wrk's own wait for answers. */
const SLACK_MS = 15_000;
const WRK_TIMEOUT = '10s';

/** Makes bursts of requests on the load core. */
export interface LoadGenerator {
  /** Name and version for the report. */
  readonly description: string;
  /** @throws Error when the burst could not be made or read; a burst with faults is returned, with the faults named */
  run(order: LoadOrder): Promise<LoadResult>;
}

/** wrk, one thread. */
export function wrkGenerator(lab: Lab, core: number | undefined): LoadGenerator | undefined {
  const program = findProgram('wrk');
  if (program === undefined) return undefined;
  return {
    description: `wrk ${versionOf(program, ['-v'], /wrk (?:\S*?\/)?(\d+(?:\.\d+)+)/)}`,
    async run(order) {
      const headers = [['Host', SERVICE] as const, ...REQUEST_HEADERS];
      if (order.close) headers.push(['Connection', 'close']);
      // wrk takes whole seconds only.
      const seconds = Math.max(1, Math.round(order.seconds));
      const args = ['-t1', `-c${order.connections}`, `-d${seconds}s`, '--latency', '--timeout', WRK_TIMEOUT];
      args.push(...headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]));
      args.push(`http://127.0.0.1:${order.port}${order.path}`);
      const { code, timedOut, stdout, stderr } = await lab.run(
        { command: program, args, core },
        seconds * 1e3 + SLACK_MS,
      );
      if (timedOut || code !== 0) {
        throw new Error(`wrk ${timedOut ? 'did not end' : `ended with code ${String(code)}`}: ${stderr.slice(-300)}`);
      }
      return parseWrk(stdout);
    },
  };
}

/** The bench's own generator; with `rate` it paces that many requests per second. */
export function nodeGenerator(lab: Lab, core: number | undefined, rate?: number): LoadGenerator {
  return {
    description: `the bench's own load generator (Node.js ${process.versions.node})`,
    run: (order) =>
      runHelper<LoadResult>(
        lab,
        'load/node-load-main.js',
        core,
        rate === undefined ? order : { ...order, rate },
        order.seconds,
      ),
  };
}

/**
 * Runs one of the bench's own programs to its end and reads its one line of JSON.
 *
 * @param seconds how long its work is meant to take
 * @throws Error when it fails, hangs or prints no JSON
 */
export async function runHelper<T>(
  lab: Lab,
  module: string,
  core: number | undefined,
  task: object,
  seconds: number,
): Promise<T> {
  const { code, timedOut, stdout, stderr } = await lab.run(helperProgram(module, core, task), seconds * 1e3 + SLACK_MS);
  if (timedOut || code !== 0) {
    throw new Error(`${module} ${timedOut ? 'did not end' : `ended with code ${String(code)}`}: ${stderr.slice(-300)}`);
  }
  return JSON.parse(stdout) as T;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, versionOf } from '../process/tools.js';
import type { Lab } from '../process/lab.js';
import { parseH2load, type Http2LoadResult } from './parse-h2load.js';

/** Beyond the length of a run: start, connections, and the wait for the last answers. */
const SLACK_MS = 15_000;

/** One run of calls to ask for. */
export interface Http2Order {
  readonly port: number;
  readonly authority: string;
  /** One path, or several that are taken in turn. */
  readonly paths: readonly string[];
  readonly connections: number;
  /** Calls under way at once on each connection. */
  readonly streams: number;
  readonly seconds: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Body of every request; without one the request is a GET. */
  readonly body: Buffer | undefined;
}

/** Makes HTTP/2 calls on the load core. */
export interface Http2Generator {
  /** Name and version for the report. */
  readonly description: string;
  /** @throws Error when the run could not be made or read; a run with faults is returned, with the faults named */
  run(order: Http2Order): Promise<Http2LoadResult>;
}

/** h2load, one thread; undefined where it is not installed. */
export function h2loadGenerator(lab: Lab, core: number | undefined): Http2Generator | undefined {
  const program = findProgram('h2load');
  if (program === undefined) return undefined;
  return {
    description: `h2load ${versionOf(program, ['--version'], /nghttp2\/(\d+(?:\.\d+)+)/)}`,
    async run(order) {
      const folder = lab.makeFolder('h2load');
      const seconds = Math.max(1, Math.round(order.seconds));
      const args = ['-t1', `-c${order.connections}`, `-m${order.streams}`, `-D${seconds}`];
      args.push(
        ...[[':authority', order.authority] as const, ...order.headers].flatMap(([n, v]) => ['-H', `${n}: ${v}`]),
      );
      if (order.body !== undefined) {
        const file = join(folder, 'body');
        writeFileSync(file, order.body);
        args.push('-d', file);
      }
      const addresses = order.paths.map((path) => `http://127.0.0.1:${order.port}${path}`);
      if (addresses.length === 1) args.push(...addresses);
      else {
        const file = join(folder, 'addresses');
        writeFileSync(file, `${addresses.join('\n')}\n`);
        args.push('-i', file);
      }
      const { code, timedOut, stdout, stderr } = await lab.run(
        { command: program, args, core },
        seconds * 1e3 + SLACK_MS,
      );
      if (timedOut || code !== 0) {
        throw new Error(
          `h2load ${timedOut ? 'did not end' : `ended with code ${String(code)}`}: ${stderr.slice(-300)}`,
        );
      }
      return parseH2load(stdout);
    },
  };
}

import { parseArgs } from 'node:util';
import { parseCustom, type CustomCandidate } from '../candidates/custom.js';
import { selectRows, type Row } from '../measure/rows.js';

/** What to measure, and how long. */
export interface Flags {
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: number;
  readonly idleConnections: number;
  /** Ids, or beginnings of ids; empty means all. */
  readonly only: readonly string[];
  readonly rows: readonly Row[];
  readonly custom: readonly CustomCandidate[];
  readonly generator: 'wrk' | 'node' | undefined;
  readonly upstream: 'nginx' | 'node' | undefined;
  readonly mesherNode: string;
  readonly write: boolean;
  readonly json: string | undefined;
  readonly list: boolean;
  readonly help: boolean;
}

const DEFAULT_ROUNDS = 5;
const DEFAULT_SECONDS = 2;
const DEFAULT_STARTS = 3;
const DEFAULT_IDLE_CONNECTIONS = 10_000;
const QUICK_IDLE_CONNECTIONS = 1_000;
/** A bench of hours is a typing error. */
const MAX_ROUNDS = 50;
const MAX_SECONDS = 60;
const MAX_IDLE_CONNECTIONS = 60_000;

export const HELP = `npm run bench -- [flags]

  --rounds N       interleaved rounds, of which medians are taken (default ${DEFAULT_ROUNDS})
  --seconds N      whole seconds per sample (default ${DEFAULT_SECONDS})
  --quick          one round of one second, one start, ${QUICK_IDLE_CONNECTIONS} idle connections: a smoke run, no evidence
  --only A,B       candidates whose id begins so
  --rows A,B       rows whose id begins so (l7, l7-128, l4-down, ...)
  --idle N         idle connections (default ${DEFAULT_IDLE_CONNECTIONS})
  --candidate "NAME[:l7|l4|h2]=COMMAND"
                   one more candidate; {port} and {upstream} in the command are replaced (may be repeated)
  --load wrk|node  load generator (default: wrk when present)
  --upstream nginx|node
                   upstream (default: nginx when present)
  --mesher-node P  Node.js binary that runs the sidecar (default: the one that runs the bench)
  --write          write docs/performance.md
  --json FILE      write every sample to a file
  --list           print candidates and rows, measure nothing
  --help
`;

/**
 * Reads the command line.
 *
 * @throws Error that names the flag and what it takes
 */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rows: { type: 'string', default: '' },
      idle: { type: 'string' },
      candidate: { type: 'string', multiple: true, default: [] },
      load: { type: 'string' },
      upstream: { type: 'string' },
      'mesher-node': { type: 'string', default: process.execPath },
      write: { type: 'boolean', default: false },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    rounds: wholeNumber('--rounds', values.rounds, quick ? 1 : DEFAULT_ROUNDS, MAX_ROUNDS),
    seconds: wholeNumber('--seconds', values.seconds, quick ? 1 : DEFAULT_SECONDS, MAX_SECONDS),
    starts: quick ? 1 : DEFAULT_STARTS,
    idleConnections: wholeNumber(
      '--idle',
      values.idle,
      quick ? QUICK_IDLE_CONNECTIONS : DEFAULT_IDLE_CONNECTIONS,
      MAX_IDLE_CONNECTIONS,
    ),
    only: names(values.only),
    rows: selectRows(names(values.rows)),
    custom: values.candidate.map(parseCustom),
    generator: oneOf('--load', values.load, ['wrk', 'node'] as const),
    upstream: oneOf('--upstream', values.upstream, ['nginx', 'node'] as const),
    mesherNode: values['mesher-node'],
    write: values.write,
    json: values.json,
    list: values.list,
    help: values.help,
  };
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function wholeNumber(flag: string, text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${flag} takes a whole number from 1 to ${most}, not "${text}"`);
  }
  return value;
}

function oneOf<T extends string>(flag: string, text: string | undefined, choices: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new Error(`${flag} takes ${choices.join(' or ')}, not "${text}"`);
  return choice;
}

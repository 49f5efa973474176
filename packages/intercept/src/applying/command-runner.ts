import { spawn } from 'node:child_process';
import { InterceptError } from '../intercept-error.js';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end with text on its input; undefined when it is not installed. */
export type CommandRunner = (
  program: string,
  args: readonly string[],
  input?: string,
) => Promise<CommandResult | undefined>;

/** Where distributions put these programs; not everybody has them in PATH, above all not who is not root. */
const SYSTEM_FOLDERS = '/usr/sbin:/sbin:/usr/local/sbin';
/** A program that was killed has no status. */
const KILLED = 137;

/** Runs programs in the network namespace of this process. Their messages are in English, since they are read. */
export const runCommand: CommandRunner = (program, args, input = '') =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${SYSTEM_FOLDERS}`, LC_ALL: 'C' };
    const child = spawn(program, args, { env, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(undefined);
      else reject(new InterceptError('INTERCEPT_COMMAND', `${program} cannot be started: ${error.message}`));
    });
    child.once('close', (code) => resolve({ code: code ?? KILLED, stdout, stderr }));
    // A program that ends early does not read its input to the end; its status tells why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/**
 * Runs a program that must succeed. @returns what it printed
 * @throws InterceptError INTERCEPT_NO_PROGRAM, INTERCEPT_NOT_PERMITTED, INTERCEPT_KERNEL, INTERCEPT_COMMAND
 */
export async function mustRun(
  run: CommandRunner,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const result = await run(program, args, input);
  if (result === undefined) throw new InterceptError('INTERCEPT_NO_PROGRAM', `${program} is not installed`);
  if (result.code === 0) return result.stdout;
  throw explain(`${program} ${args.join(' ')}`.trim(), result);
}

const NOT_PERMITTED = /permission denied|operation not permitted|you must be root|must be run as root/i;
const KERNEL =
  /no chain\/target\/match by that name|couldn't load (?:match|target)|can't initialize|table does not exist|not supported|no such file or directory|protocol not available|unknown (?:option|arg)/i;

function explain(command: string, { code, stdout, stderr }: CommandResult): InterceptError {
  const said = (stderr.trim() || stdout.trim() || `status ${code}`).split('\n').slice(0, MOST_LINES).join('\n  ');
  const message = `${command} failed: ${said}`;
  if (NOT_PERMITTED.test(said)) return new InterceptError('INTERCEPT_NOT_PERMITTED', message);
  if (KERNEL.test(said)) return new InterceptError('INTERCEPT_KERNEL', message);
  return new InterceptError('INTERCEPT_COMMAND', message);
}

/** Lines of a failed command that are shown. */
const MOST_LINES = 6;

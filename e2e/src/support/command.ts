import { spawnSync } from 'node:child_process';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';
import { SpawnedProcess } from './spawned-process.js';

/** Longer than any command of these tests runs. */
const LONGEST_RUN_MS = 30_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; one that does not end within 30 s is killed and has the code `null`. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<CommandResult> {
  const child = new SpawnedProcess(command, command, args, env, cwd);
  const timer = setTimeout(() => child.signal('SIGKILL'), LONGEST_RUN_MS);
  const { code } = await child.exited;
  clearTimeout(timer);
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/**
 * Skips the test when a program is not installed.
 * @param harmless an argument with which it does nothing but succeed
 */
export function requireProgram(context: SkippableContext, program: string, harmless = '--version'): void {
  const { error, status } = spawnSync(program, [harmless], { stdio: 'ignore' });
  if (error !== undefined || status !== 0) skipBecause(context, `${program} is not installed`);
}

/** Skips the test when curl is not installed or was built without a feature, such as `HTTP2`. */
export function requireCurl(context: SkippableContext, feature?: string): void {
  const { error, stdout } = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) skipBecause(context, 'curl is not installed');
  if (feature !== undefined && !stdout.includes(feature)) skipBecause(context, `curl was built without ${feature}`);
}

/**
 * Runs curl, quiet but for errors and bounded in time.
 * @throws Error when curl itself fails (a status of 400 and above is no failure)
 */
export async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args]);
  if (code !== 0) throw new Error(`curl ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

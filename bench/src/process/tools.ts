import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps daemons here, and a user's PATH often lacks it. */
const DAEMON_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const VERSION_TIMEOUT_MS = 10_000;
/** What `getconf CLK_TCK` answers on every Linux port in use. */
const USUAL_TICKS_PER_SECOND = 100;

/** The full path of a program in PATH or a daemon folder, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...DAEMON_FOLDERS];
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/** Whether the path is a file that may be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a program says of its version: the first match of `pattern`'s first group in stdout and stderr, or `unknown`. */
export function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  let text: string;
  try {
    text = execFileSync('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', program, ...args], {
      encoding: 'latin1',
      timeout: VERSION_TIMEOUT_MS,
    });
  } catch (error) {
    // wrk prints its version and exits 1.
    text = String((error as { stdout?: unknown }).stdout ?? '');
  }
  return pattern.exec(text)?.[1] ?? 'unknown';
}

/** Clock ticks per second in which /proc/PID/stat counts. */
export function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }).trim()) || USUAL_TICKS_PER_SECOND;
  } catch {
    return USUAL_TICKS_PER_SECOND;
  }
}

/** The number of file descriptors one process may be given here: the hard limit, which only a privileged process may raise. */
export function descriptorLimit(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'latin1' }).trim();
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text);
}

/** One program to start. */
export interface LaunchSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** CPU core to pin it to; not pinned when absent or when taskset is missing. */
  readonly core?: number | undefined;
}

/** The wrappers that this machine has, by full path. */
export interface Wrappers {
  readonly taskset?: string | undefined;
  readonly setpriv?: string | undefined;
  readonly descriptors: number;
}

/** Raises the descriptor limit as far as allowed, then becomes the program: every wrapper execs, so the pid stays the program's. */
const RAISE_DESCRIPTORS = 'ulimit -n "$1" 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null; shift; exec "$@"';

/** The command line that starts `spec` pinned, with enough descriptors, and killed by the kernel should the harness be killed. */
export function commandLine(spec: LaunchSpec, wrappers: Wrappers): readonly [string, ...string[]] {
  const line = [spec.command, ...spec.args];
  if (spec.core !== undefined && wrappers.taskset !== undefined)
    line.unshift(wrappers.taskset, '-c', String(spec.core));
  line.unshift('/bin/sh', '-c', RAISE_DESCRIPTORS, 'sh', String(wrappers.descriptors));
  if (wrappers.setpriv !== undefined) line.unshift(wrappers.setpriv, '--pdeathsig', 'KILL', '--');
  return line as [string, ...string[]];
}

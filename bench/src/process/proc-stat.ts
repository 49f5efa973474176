/** CPU time of one process in clock ticks, as /proc/PID/stat has it. `child*` is the time of children that were waited for. */
export interface StatLine {
  readonly pid: number;
  readonly parent: number;
  /** Ended, but not yet waited for by its parent: its CPU time is still told, its memory is gone. */
  readonly zombie: boolean;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly childUserTicks: number;
  readonly childSystemTicks: number;
}

/** Memory of one process in KiB, as /proc/PID/status has it. */
export interface MemoryKib {
  readonly resident: number;
  /** Anonymous pages: what this process alone holds, without the file pages of its binary that other processes may share. */
  readonly anonymous: number;
}

// Positions after the command name, which proc(5) numbers 4 and 14 to 17 (the state, number 3, is index 0 here).
const STATE = 0;
const PARENT = 1;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const CHILD_USER_TICKS = 13;
const CHILD_SYSTEM_TICKS = 14;

/**
 * Reads a line of /proc/PID/stat (proc(5)).
 *
 * @throws Error when the line has not the form that proc(5) describes
 */
export function parseStat(text: string): StatLine {
  // The command name may hold spaces and parentheses of its own: only the last closing one ends it.
  const nameStart = text.indexOf('(');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 1 || nameEnd < nameStart) throw new Error(`not a line of /proc/PID/stat: ${text.slice(0, 80)}`);
  const fields = text
    .slice(nameEnd + 1)
    .trim()
    .split(/\s+/);
  return {
    pid: wholeNumber(text.slice(0, nameStart), 'pid'),
    parent: wholeNumber(fields[PARENT], 'ppid'),
    zombie: fields[STATE] === 'Z',
    userTicks: wholeNumber(fields[USER_TICKS], 'utime'),
    systemTicks: wholeNumber(fields[SYSTEM_TICKS], 'stime'),
    childUserTicks: wholeNumber(fields[CHILD_USER_TICKS], 'cutime'),
    childSystemTicks: wholeNumber(fields[CHILD_SYSTEM_TICKS], 'cstime'),
  };
}

/**
 * Reads VmRSS and RssAnon out of /proc/PID/status.
 *
 * @throws Error when a line is missing (a zombie has no memory lines)
 */
export function parseStatus(text: string): MemoryKib {
  return { resident: statusKib(text, 'VmRSS'), anonymous: statusKib(text, 'RssAnon') };
}

function statusKib(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
  return wholeNumber(match?.[1], name);
}

function wholeNumber(text: string | undefined, name: string): number {
  const trimmed = text?.trim() ?? '';
  if (!/^\d+$/.test(trimmed)) throw new Error(`no ${name} in what /proc says of the process`);
  return Number(trimmed);
}

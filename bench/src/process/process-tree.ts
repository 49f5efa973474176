import { readFileSync, readdirSync } from 'node:fs';
import { parseStat, parseStatus, type MemoryKib, type StatLine } from './proc-stat.js';

/** CPU time in seconds. */
export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** CPU time of a set of processes, all threads, with their children (living, and dead and waited for). */
export function readCpu(roots: readonly number[], ticksPerSecond: number): CpuSeconds {
  let user = 0;
  let system = 0;
  for (const stat of familyOf(roots)) {
    user += stat.userTicks + stat.childUserTicks;
    system += stat.systemTicks + stat.childSystemTicks;
  }
  return { user: user / ticksPerSecond, system: system / ticksPerSecond };
}

/** Memory of a set of processes with their children, in KiB. Pages shared between them are counted once per process. */
export function readMemory(roots: readonly number[]): MemoryKib {
  let resident = 0;
  let anonymous = 0;
  for (const { pid, zombie } of familyOf(roots)) {
    if (zombie) continue;
    const memory = parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1'));
    resident += memory.resident;
    anonymous += memory.anonymous;
  }
  return { resident, anonymous };
}

/**
 * The given processes and their living descendants.
 *
 * @throws Error when one of the given processes is gone: a candidate that died has no honest figure
 */
function familyOf(roots: readonly number[]): StatLine[] {
  const children = new Map<number, StatLine[]>();
  const byPid = new Map<number, StatLine>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat === undefined) continue;
    byPid.set(stat.pid, stat);
    const siblings = children.get(stat.parent);
    if (siblings === undefined) children.set(stat.parent, [stat]);
    else siblings.push(stat);
  }
  const family = new Map<number, StatLine>();
  const pending = roots.map((pid) => {
    const stat = byPid.get(pid);
    if (stat === undefined || stat.zombie) throw new Error(`process ${pid} is gone`);
    return stat;
  });
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (family.has(next.pid)) continue;
    family.set(next.pid, next);
    pending.push(...(children.get(next.pid) ?? []));
  }
  return [...family.values()];
}

function readStat(pid: string): StatLine | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // It ended between the listing and the read.
  }
  return parseStat(text);
}

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { APPLICATION } from './intercepted-calls.js';
import type { NetworkNamespace } from './network-namespaces.js';
import type { SpawnedProcess } from './spawned-process.js';

const PROGRAM = fileURLToPath(new URL('../programs/load-peer-main.js', import.meta.url));
/** Waits of `untilPrinted` (30 s each) that a gigabyte may take on a machine that is busy with other things. */
const PATIENCE = 6;

/** Starts an end of many or large connections as the application's user (see programs/load-peer-main.ts). */
export function startLoadPeer(on: NetworkNamespace, task: object): SpawnedProcess {
  return on.spawn(process.execPath, [PROGRAM, JSON.stringify(task)], { as: APPLICATION });
}

/** The first report that has a field. */
export async function reportOf<T>(peer: SpawnedProcess, field: string): Promise<T> {
  for (let left = PATIENCE; ; left--) {
    try {
      const [line] = await peer.untilPrinted(new RegExp(`^\\{.*"${field}":.*\\}$`, 'm'));
      return JSON.parse(line) as T;
    } catch (error) {
      if (left <= 1 || !peer.isRunning) throw error;
    }
  }
}

/** A figure of a process in MiB: `VmRSS` now, `VmHWM` at its highest. */
export async function memoryOf({ pid }: SpawnedProcess, figure: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${figure}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

/** How many file descriptors a process may have open. */
export async function descriptorLimitOf({ pid }: SpawnedProcess): Promise<number> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
}

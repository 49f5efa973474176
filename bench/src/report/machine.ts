import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

const BYTES_PER_GIB = 1024 ** 3;

/** The machine in words: processors, memory, kernel. No names, no addresses. */
export function describeMachine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? 'unknown processor').replaceAll(/\s+/g, ' ').trim();
  const kernel = /^\d+(?:\.\d+)*/.exec(release())?.[0] ?? 'unknown';
  const virtual = isVirtual() ? 'virtual machine, ' : '';
  const memory = Math.round(totalmem() / BYTES_PER_GIB);
  return `${virtual}${processors.length} cores of ${model}, ${memory} GiB of memory, ${type()} ${kernel}`;
}

function isVirtual(): boolean {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'));
  } catch {
    return false;
  }
}

import { fileURLToPath } from 'node:url';
import type { LaunchSpec } from './launch.js';

/** How to start one of the bench's own small programs (a module below dist) with a task. */
export function helperProgram(module: string, core: number | undefined, task: object): LaunchSpec {
  const path = fileURLToPath(new URL(`../${module}`, import.meta.url));
  return { command: process.execPath, args: [path, JSON.stringify(task)], core };
}

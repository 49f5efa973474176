import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine, type LaunchSpec, type Wrappers } from './launch.js';
import { ManagedProcess } from './managed-process.js';
import { descriptorLimit, findProgram } from './tools.js';

/** Two descriptors for each of 10,000 relayed connections and some to spare. */
const WANTED_DESCRIPTORS = 24_000;

/** The answer of a program that ran to its end. */
export interface Finished {
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything a run creates: processes and one temporary folder. Whatever way the run ends, `close` leaves nothing behind. */
export class Lab {
  readonly folder: string;
  /** Descriptors which each process can be given. */
  readonly descriptors: number;
  private readonly wrappers: Wrappers;
  private readonly processes = new Set<ManagedProcess>();
  private folders = 0;
  private closing = false;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'mesher-bench-'));
    this.descriptors = Math.min(descriptorLimit(), WANTED_DESCRIPTORS);
    this.wrappers = {
      taskset: findProgram('taskset'),
      setpriv: findProgram('setpriv'),
      descriptors: this.descriptors,
    };
  }

  /** Whether processes can be pinned to a core here. */
  get pins(): boolean {
    return this.wrappers.taskset !== undefined;
  }

  /** @throws Error once the run is being ended, so that no loop goes on with processes that are gone */
  assertOpen(): void {
    if (this.closing) throw new Error('the run is being ended');
  }

  /** Makes a fresh folder for the files of one process. */
  makeFolder(name: string): string {
    const path = join(this.folder, `${(this.folders += 1)}-${name.replaceAll(/[^\w.-]/g, '_')}`);
    mkdirSync(path);
    return path;
  }

  /** Starts a process which `close` will end. */
  async start(spec: LaunchSpec): Promise<ManagedProcess> {
    this.assertOpen();
    const started = await ManagedProcess.start(commandLine(spec, this.wrappers), { ...process.env, ...spec.env });
    this.processes.add(started);
    void started.exited.then(() => this.processes.delete(started));
    return started;
  }

  /** Runs a program to its end, killing it when the time is up. */
  async run(spec: LaunchSpec, timeoutMs: number): Promise<Finished> {
    const started = await this.start(spec);
    const { code, timedOut } = await started.finish(timeoutMs);
    return { code, timedOut, stdout: started.stdout, stderr: started.stderr };
  }

  /** Ends every process by its pid, then removes the folder. */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.processes].map((process_) => process_.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The same at once, without waiting: for an exit that cannot wait. */
  closeNow(): void {
    this.closing = true;
    for (const process_ of this.processes) process_.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

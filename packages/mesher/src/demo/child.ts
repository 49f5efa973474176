import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Timers } from '@mesher/core';

/** Output kept per process, to be shown when it fails. */
const KEPT_CHARACTERS = 8_192;
/** A process that starts takes well below a second; slow machines get ten times that. */
const START_MS = 10_000;
/** Longer than a sidecar with nothing in flight needs to leave. */
const STOP_MS = 5_000;

/** A process of the demo. */
export class Child {
  #output = '';
  #onOutput: (() => void) | undefined;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** @param args what Node runs */
  constructor(
    readonly name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    private readonly timers: Timers,
  ) {
    this.#process = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#process, 'exit').then(() => this.#onOutput?.());
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-KEPT_CHARACTERS);
      this.#onOutput?.();
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /**
   * Waits until the process has printed `text`.
   * @throws Error with its output when it ends before, or takes longer than ten seconds
   */
  async untilPrinted(text: string): Promise<void> {
    let late = false;
    const timer = this.timers.after(START_MS, () => {
      late = true;
      this.#onOutput?.();
    });
    while (!this.#output.includes(text)) {
      if (late || !this.isRunning) {
        throw new Error(`${this.name} ${this.isRunning ? 'did not get ready' : 'ended'}; it printed:\n${this.#output}`);
      }
      await new Promise<void>((resolve) => (this.#onOutput = resolve));
    }
    timer.cancel();
  }

  /** Asks the process to end, and ends it if it does not. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#process.kill('SIGTERM');
    const timer = this.timers.after(STOP_MS, () => this.#process.kill('SIGKILL'));
    await this.#exited;
    timer.cancel();
  }
}

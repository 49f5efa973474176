import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long a process may take to end after SIGTERM before it is killed. */
const STOP_GRACE_MS = 2_000;
/** How much of a process's last words is kept for messages. */
const KEPT_OUTPUT_CHARS = 65_536;
/** How many unread lines are kept: nobody reads what a peer prints. */
const KEPT_LINES = 200;

/** A child process which keeps its output, and which ends when it is told. */
export class ManagedProcess {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  private unread: string[] = [];
  private waiter: (() => void) | undefined;
  private over = false;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.pid = child.pid ?? -1;
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => {
        this.over = true;
        this.waiter?.();
        resolve(code);
      });
    });
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_OUTPUT_CHARS);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.stdout = `${this.stdout}${line}\n`.slice(-KEPT_OUTPUT_CHARS);
      this.unread.push(line);
      if (this.unread.length > KEPT_LINES) this.unread.shift();
      this.waiter?.();
    });
    // A write to a process that has just ended is no news: its end is reported by `exited`.
    child.stdin.on('error', () => undefined);
  }

  /**
   * Starts a command line.
   *
   * @throws Error when it cannot be executed
   */
  static async start(line: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<ManagedProcess> {
    const [command, ...args] = line;
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new ManagedProcess(child);
  }

  get running(): boolean {
    return !this.over && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Writes one line to the process's standard input. */
  tell(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /**
   * The next unread line of output that `accept` takes; lines before it are skipped. Undefined when the process ends or
   * the time is up first. One caller at a time.
   */
  async nextLine(accept: (line: string) => boolean, timeoutMs: number): Promise<string | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (let line = this.unread.shift(); line !== undefined; line = this.unread.shift())
        if (accept(line)) return line;
      const left = deadline - performance.now();
      if (left <= 0 || this.over) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiter = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.waiter = undefined;
    }
  }

  /** Waits for the end; kills the process by its pid when the time is up. */
  async finish(timeoutMs: number): Promise<{ readonly code: number | null; readonly timedOut: boolean }> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.kill();
    }, timeoutMs);
    const code = await this.exited;
    clearTimeout(timer);
    return { code, timedOut };
  }

  /** Ends the process: SIGTERM, and SIGKILL when that was not enough. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    await this.finish(STOP_GRACE_MS);
  }

  /** Kills at once; safe to call from an exit handler. */
  kill(): void {
    if (this.running) this.child.kill('SIGKILL');
  }
}

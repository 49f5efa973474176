import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

/** Output that is kept for messages; a sidecar prints a few kilobytes. */
const KEPT_CHARACTERS = 262_144;
/** A process of these tests says that it is there within a second; a machine under load may need much longer. */
const START_MS = 30_000;
/** How long a process may take to end when it is asked to, before it is killed. */
const STOP_MS = 5_000;

/** How a process ended: by itself with a status, or by a signal. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Waiter {
  readonly pattern: RegExp;
  readonly from: number;
  readonly found: (match: RegExpExecArray) => void;
  readonly ended: () => void;
}

/** A child process whose output is kept, whose lines can be awaited, and which is ended by its own id. */
export class SpawnedProcess {
  readonly exited: Promise<Ending>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiters = new Set<Waiter>();
  #stdout = '';
  #stderr = '';
  #output = '';
  #ending: Ending | undefined;

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd?: string,
  ) {
    this.#child = spawn(command, args, { env: { ...cleanEnvironment(), ...env }, cwd, stdio: 'pipe' });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-KEPT_CHARACTERS);
      this.#printed(text);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_CHARACTERS);
      this.#printed(text);
    });
    this.exited = new Promise((resolve) => {
      const end = (ending: Ending): void => {
        this.#ending ??= ending;
        for (const waiter of [...this.#waiters]) waiter.ended();
        resolve(this.#ending);
      };
      this.#child.once('close', (code, signal) => end({ code, signal }));
      this.#child.once('error', (error) => {
        this.#printed(`${String(error)}\n`);
        end({ code: null, signal: null });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#ending === undefined;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Both streams in the order in which they came. */
  get output(): string {
    return this.#output;
  }

  /**
   * Waits for output that matches, from the beginning or from what has been printed until now on.
   * @throws Error with all output when the process ends before, or does not print it within 30 s
   */
  untilPrinted(pattern: RegExp, since: 'start' | 'now' = 'start'): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const from = since === 'start' ? 0 : this.#output.length;
      const fail = (why: string): void => {
        finish();
        reject(new Error(`${this.name} ${why} before it printed ${String(pattern)}; it printed:\n${this.#output}`));
      };
      const timer = setTimeout(() => fail(`took more than ${START_MS} ms`), START_MS);
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const found = (match: RegExpExecArray): void => {
        finish();
        resolve(match);
      };
      const waiter: Waiter = { pattern, from, found, ended: () => fail('ended') };
      this.#waiters.add(waiter);
      this.#look(waiter);
      if (this.#waiters.has(waiter) && !this.isRunning) waiter.ended();
    });
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(): Promise<Ending> {
    this.signal('SIGKILL');
    return await this.exited;
  }

  /** Asks the process to end, kills it when it does not. */
  async stop(): Promise<Ending> {
    if (!this.isRunning) return await this.exited;
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_MS);
    const ending = await this.exited;
    clearTimeout(timer);
    return ending;
  }

  #printed(text: string): void {
    this.#output = (this.#output + text).slice(-KEPT_CHARACTERS);
    for (const waiter of [...this.#waiters]) this.#look(waiter);
  }

  #look(waiter: Waiter): void {
    const match = waiter.pattern.exec(this.#output.slice(waiter.from));
    if (match !== null) waiter.found(match);
  }
}

/** What a child inherits: nothing that would configure it, such as http_proxy or SERVICE_PORTS of whoever runs the tests. */
function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SystemRoot', 'PYENV_ROOT', 'LD_LIBRARY_PATH'];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** One write: several small answers of a loop turn, or four full DATA frames. */
export const OUTPUT_BYTES = 65_536;
/** Free buffers that are kept (4 MB at most): as many as connections write within a turn. */
const KEPT_BUFFERS = 64;

/** Something that has bytes to write at the end of the loop turn. */
export interface Flushable {
  flush(): void;
}

/** Something that waits for the end of the loop turn, when all that was read in it has been looked at. */
export interface TurnTask {
  onTurnEnd(): void;
}

/**
 * Buffers for output, and the end of the loop turn at which they are written: all frames of a turn leave in one write per
 * socket, and a connection that says nothing holds no buffer. One pool serves all connections of a proxy.
 */
export class OutputPool {
  readonly #free: Buffer[] = [];
  #waiting: Flushable[] = [];
  #flushing: Flushable[] = [];
  readonly #tasks: TurnTask[] = [];
  readonly #schedule: (callback: () => void) => void;
  readonly #flushAll = (): void => this.flushAll();

  /** @param schedule calls back at the end of the loop turn; `setImmediate` outside of tests */
  constructor(schedule: (callback: () => void) => void = setImmediate) {
    this.#schedule = schedule;
  }

  /** Free buffers that are kept. */
  get kept(): number {
    return this.#free.length;
  }

  /** A buffer of at least so many bytes. */
  take(bytes: number): Buffer {
    if (bytes > OUTPUT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }

  /** Takes back a buffer that nothing refers to any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === OUTPUT_BYTES && this.#free.length < KEPT_BUFFERS) this.#free.push(buffer);
  }

  /** Has `output` flushed at the end of this turn; the caller asks once per turn. */
  flushLater(output: Flushable): void {
    this.#waiting.push(output);
    if (this.#waiting.length === 1) this.#schedule(this.#flushAll);
  }

  /** Has `task` told once, at the end of this turn: what it writes then leaves with all else of the turn. */
  beforeFlush(task: TurnTask): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1 && this.#waiting.length === 0) this.#schedule(this.#flushAll);
  }

  /** Flushes all that wait. What begins to wait meanwhile is flushed in the next turn; tasks that tasks bring are still told. */
  flushAll(): void {
    const tasks = this.#tasks;
    for (let i = 0; i < tasks.length; i++) tasks[i].onTurnEnd();
    tasks.length = 0;
    const flushing = this.#waiting;
    this.#waiting = this.#flushing;
    this.#flushing = flushing;
    for (let i = 0; i < flushing.length; i++) flushing[i].flush();
    flushing.length = 0;
  }
}

import type { TimerHandle, Timers } from '@mesher/core';

/** Some 5,000 lines: seconds of a busy sidecar's warnings, and little beside its heap. */
const MAX_BACKLOG_BYTES = 1_048_576;
/** Time between two tries while nobody reads: soon enough to be read live, seldom enough to cost nothing. */
const RETRY_MS = 50;
/** Tries at the end, one second in all: a slow reader gets the rest, a stalled one does not hold the process up. */
const LAST_TRIES = 20;

export interface LogOutputSettings {
  /** Writes what it can at once, without blocking, and returns the number of bytes; throws the errors of `fs.writeSync`. */
  readonly write: (bytes: Buffer) => number;
  readonly timers: Timers;
  /** Blocks the process for so many milliseconds. */
  readonly pause: (ms: number) => void;
  /** Told of the first error of the destination, and of no later one. */
  readonly onError: (error: unknown) => void;
  /** Told the number of lines that were lost, once lines can be written again. */
  readonly onDropped: (lines: number) => void;
  /** Bytes that may wait for a reader; default 1 MiB. Lines beyond are lost. */
  readonly maxBacklog?: number;
}

/**
 * Where log lines go. A destination that is full, closed or not read costs lines, never the process or its event loop: lines that
 * cannot be written at once wait, up to a limit, and an error loses the line that met it.
 */
export class LogOutput {
  readonly #maxBacklog: number;
  #backlog: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #hasFailed = false;
  #isClosed = false;
  #retry: TimerHandle | undefined;

  constructor(private readonly settings: LogOutputSettings) {
    this.#maxBacklog = settings.maxBacklog ?? MAX_BACKLOG_BYTES;
  }

  /** Writes a line at once if nothing waits; never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#isClosed || this.#bytes + bytes.length > this.#maxBacklog) {
      this.#dropped++;
      return;
    }
    this.#backlog.push(bytes);
    this.#bytes += bytes.length;
    // While a try is due, nobody reads: asking the system for each line would be in vain.
    if (this.#retry === undefined) this.#proceed();
  }

  /** Blocks until the rest has been read, one second at most: for the end of the process. */
  flush(): void {
    for (let tries = 0; tries < LAST_TRIES && this.#bytes > 0; tries++) {
      if (tries > 0) this.settings.pause(RETRY_MS);
      this.#drain();
    }
  }

  #proceed(): void {
    this.#drain();
    if (this.#bytes === 0) return;
    this.#retry = this.settings.timers.after(RETRY_MS, () => {
      this.#retry = undefined;
      this.#proceed();
    });
  }

  /** Writes until nothing waits or the destination takes no more. */
  #drain(): void {
    let isTaken = false;
    for (let first = this.#backlog[0]; first !== undefined; first = this.#backlog[0]) {
      try {
        const written = this.settings.write(first);
        if (written === 0) return;
        this.#bytes -= written;
        if (written < first.length) this.#backlog[0] = first.subarray(written);
        else this.#backlog.shift();
        isTaken = true;
      } catch (error) {
        if (codeOf(error) === 'EAGAIN') return;
        this.#fail(error, first);
        isTaken = false;
      }
    }
    // Only after a success: the report is a line, too, and would be lost and reported for ever.
    if (isTaken) this.#reportDropped();
  }

  #reportDropped(): void {
    const lines = this.#dropped;
    if (lines === 0) return;
    this.#dropped = 0;
    this.settings.onDropped(lines);
  }

  #fail(error: unknown, line: Buffer): void {
    this.#backlog.shift();
    this.#bytes -= line.length;
    this.#dropped++;
    // The reader has gone for good; a full disk may have room again.
    if (codeOf(error) === 'EPIPE') {
      this.#isClosed = true;
      this.#backlog = [];
      this.#bytes = 0;
    }
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.settings.onError(error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

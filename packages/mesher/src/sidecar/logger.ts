import { writeSync } from 'node:fs';
import { systemPorts, type Logger, type LogLevel } from '@mesher/core';
import { pino } from 'pino';
import { LogOutput } from './log-output.js';

const STDOUT = 1;
const STDERR = 2;

export interface ProcessLog {
  readonly logger: Logger;
  /** Least severe level that is written from now on. */
  setLevel(level: LogLevel): void;
  /** Blocks until everything has been read, one second at most: to be called before the process ends. */
  flush(): void;
}

/** Writes JSON lines to stdout, as collectors read them; see {@link LogOutput} for what happens when nobody does. */
export function processLog(level: LogLevel): ProcessLog {
  // Looked at because Node makes a pipe or a socket non-blocking then; a write to a full one would block the event loop otherwise.
  void process.stdout;
  const output = new LogOutput({
    write: (bytes) => writeSync(STDOUT, bytes),
    timers: systemPorts().timers,
    pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    onError: reportFailure,
    onDropped: (lines) => logger.warn({ lines }, 'log lines were lost, because stdout was not read'),
  });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    output,
  );
  return {
    logger,
    setLevel: (next) => {
      logger.level = next;
    },
    flush: () => output.flush(),
  };
}

function reportFailure(error: unknown): void {
  try {
    writeSync(STDERR, `mesher: log lines are lost, because stdout cannot be written: ${String(error)}\n`);
  } catch {
    // Nobody reads stderr either.
  }
}

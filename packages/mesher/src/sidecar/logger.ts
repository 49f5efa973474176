import type { Logger, LogLevel } from '@mesher/core';
import { pino } from 'pino';

/** Writes JSON lines to stdout, as collectors read them. Written synchronously, so that nothing is lost at the end. */
export function processLogger(level: LogLevel): Logger {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ dest: 1, sync: true }),
  );
  return logger;
}

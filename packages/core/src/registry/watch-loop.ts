import type { Ports } from '../ports/ports.js';
import { backoff, pause, type RetryPauses } from '../ports/waiting.js';
import type { Logger } from '../telemetry/logger.js';

/** What {@link keepWatching} watches, and how. */
export interface WatchTask<T> {
  /** What is watched, for the log: a service name. */
  readonly subject: string;
  /** Name of the registry, for the log. */
  readonly registry: string;
  /** Begins a new watch. */
  watch(signal: AbortSignal): AsyncIterable<T>;
  /** The next value is asked for when it is done with this one. */
  take(value: T): void | Promise<void>;
  /** Ends it all. */
  readonly signal: AbortSignal;
}

/**
 * Watches, and watches again whenever a watch ended or threw, until `signal` aborts. A watch that held longer than the longest
 * pause begins the pauses anew; one that merely answered does not, or a registry that answers and breaks off would be asked for ever
 * at the shortest pause.
 * @returns when the signal has aborted and the last watch has returned; never rejects
 */
export async function keepWatching<T>(
  task: WatchTask<T>,
  ports: Ports,
  pauses: RetryPauses,
  logger: Logger,
): Promise<void> {
  const { subject, registry, signal } = task;
  let failures = 0;
  while (!signal.aborted) {
    const begunAt = ports.clock.now();
    let trouble: unknown;
    try {
      for await (const value of task.watch(signal)) {
        if (signal.aborted) return;
        const work = task.take(value);
        if (work !== undefined) await work;
      }
      trouble = 'the registry ended the watch';
    } catch (error) {
      trouble = error;
    }
    if (signal.aborted) return;
    if (ports.clock.now() - begunAt > pauses.maxRetryDelay) failures = 0;
    // Once per outage in plain sight: thousands of services may be watched, and each tries again and again.
    const report = failures === 0 ? logger.warn : logger.debug;
    report.call(logger, { subject, registry, error: trouble }, 'watching failed; the last good state stays in use');
    await pause(ports, backoff(ports, ++failures, pauses), signal);
  }
}

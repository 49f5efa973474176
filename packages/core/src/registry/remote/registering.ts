import { messageOf } from '../../errors.js';
import type { Ports } from '../../ports/ports.js';
import { backoff, jittered, pause, type RetryPauses } from '../../ports/waiting.js';
import type { Logger } from '../../telemetry/logger.js';

/** What a refusal means: it is final, only people can mend it, or it may pass any moment. */
export type RefusalKind = 'final' | 'slow' | 'passing';

export interface RegisteringTask {
  /** Name of the service, for people. */
  readonly service: string;
  /** Name of the registry in a sentence: `Consul`. */
  readonly registry: string;
  /** Registers once. */
  readonly attempt: (signal: AbortSignal) => Promise<void>;
  readonly judge: (error: unknown) => RefusalKind;
  /** Told why the service is not registered, and `undefined` once it is. */
  readonly onProblem: (problem: string | undefined) => void;
  readonly ports: Pick<Ports, 'timers' | 'random'>;
  readonly pauses: RetryPauses;
  readonly logger: Logger;
}

/**
 * Registers again and again until it is done, with growing pauses; `slow` refusals are repeated after about the longest one, so that
 * thousands of clients without a permission are no load.
 * @throws what a `final` refusal was; the reason of `signal` when it aborts
 */
export async function registerUntilDone(task: RegisteringTask, signal: AbortSignal): Promise<void> {
  const { ports, pauses, logger } = task;
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await task.attempt(signal);
      task.onProblem(undefined);
      return;
    } catch (error) {
      if (signal.aborted) break;
      task.onProblem(`${task.service} is not registered: ${messageOf(error)}`);
      const kind = task.judge(error);
      if (kind === 'final') throw error;
      const report = failures === 1 ? logger.warn : logger.debug;
      report.call(logger, { error }, `registering in ${task.registry} failed; it is tried again`);
      const ms = kind === 'slow' ? jittered(ports, pauses.maxRetryDelay) : backoff(ports, failures, pauses);
      await pause(ports, ms, signal);
    }
  }
  signal.throwIfAborted();
}

/** A registration that can be given up. */
export interface OwnRegistration {
  register(): Promise<void>;
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Resolves when the registration is in place; released when `signal` aborts before that.
 * @throws what the registry refuses with; the reason of `signal` when it aborts
 */
export async function registerOrGiveUp(signal: AbortSignal, registration: OwnRegistration): Promise<void> {
  const giveUp = (): void => void registration.release().catch(() => {});
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await registration.register();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  signal.throwIfAborted();
}

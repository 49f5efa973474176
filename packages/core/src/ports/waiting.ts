import type { Ports } from './ports.js';

/** Resolves after `ms` milliseconds or as soon as `signal` aborts; leaves no timer and no listener behind. */
export function pause(ports: Pick<Ports, 'timers'>, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = ports.timers.after(ms, over);
    signal.addEventListener('abort', over, { once: true });
  });
}

/** `ms`, give or take `share` of it, so that many clients that began together do not go on together. */
export function jittered(ports: Pick<Ports, 'random'>, ms: number, share = 0.2): number {
  return ms * (1 - share + 2 * share * ports.random.next());
}

/** Bounds of the pauses after failures, in milliseconds. */
export interface RetryPauses {
  /** Longest pause after the first failure; doubled with each further one. */
  readonly minRetryDelay: number;
  readonly maxRetryDelay: number;
}

/**
 * The pause after so many failures in a row (1 or more), with full jitter: drawn from all of the range, so that a thousand clients of
 * a server that is back are spread over it.
 */
export function backoff(ports: Pick<Ports, 'random'>, failures: number, pauses: RetryPauses): number {
  const longest = Math.min(pauses.minRetryDelay * 2 ** Math.min(failures - 1, 30), pauses.maxRetryDelay);
  return longest * ports.random.next();
}

/** Lets one loop sleep until its time has come or somebody calls; a call that comes while it is awake is kept. */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves after `ms` milliseconds (never when undefined), after the next {@link ring}, or when `signal` aborts. */
  async sleep(ports: Pick<Ports, 'timers'>, ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const over = (): void => {
          timer?.cancel();
          signal.removeEventListener('abort', over);
          this.#wake = undefined;
          resolve();
        };
        const timer = ms === undefined ? undefined : ports.timers.after(ms, over);
        this.#wake = over;
        signal.addEventListener('abort', over, { once: true });
      });
    }
    this.#rung = false;
  }
}

import type { Timers } from './ports.js';

/**
 * Waits for `work`, but no longer than `ms` milliseconds; leaves no timer behind.
 * @returns true when `work` was done in time
 * @throws what `work` rejects with in time; a later rejection is dropped
 */
export function within(timers: Timers, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = timers.after(ms, () => resolve(false));
    work.then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

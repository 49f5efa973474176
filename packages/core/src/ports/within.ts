import type { TimerHandle, Timers } from './ports.js';

/**
 * Waits for `work`, but no longer than `ms` milliseconds; leaves no timer behind.
 * @returns true when `work` was done in time
 * @throws what `work` rejects with in time; a later rejection is dropped
 */
export async function within(timers: Timers, ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: TimerHandle | undefined;
  const tooLate = new Promise<boolean>((resolve) => (timer = timers.after(ms, () => resolve(false))));
  try {
    return await Promise.race([work.then(() => true), tooLate]);
  } finally {
    timer?.cancel();
  }
}

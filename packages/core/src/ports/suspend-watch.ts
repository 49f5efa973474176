import type { Ports, TimerHandle } from './ports.js';

/** Between two looks: short beside any lease, and nothing beside the cost of a heartbeat. */
const LOOK_MS = 5_000;
/** Less than this is the clock being set right, and no matter for leases, the shortest of which last 20 s. */
const LEAST_SLEEP_MS = 10_000;

/**
 * Tells when the machine had slept. The monotonic clock stands still meanwhile, and with it every timer, but leases elsewhere go on: what
 * is due in 20 s when it falls asleep is due 20 s after it wakes. A wall clock that is set forward looks the same; whoever is told must
 * bear that.
 * @param onWake told at most 5 s after it woke, with how long it slept in milliseconds
 * @returns ends the watch
 */
export function watchForSuspend(
  { clock, timers }: Pick<Ports, 'clock' | 'timers'>,
  onWake: (sleptMs: number) => void,
): TimerHandle {
  let behind = clock.wallTime() - clock.now();
  return timers.every(LOOK_MS, () => {
    const sleptMs = clock.wallTime() - clock.now() - behind;
    behind += sleptMs;
    if (sleptMs >= LEAST_SLEEP_MS) onWake(sleptMs);
  });
}

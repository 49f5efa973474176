import type { Clock, Ports, Random, TimerHandle, Timers } from './ports.js';

class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }

  wallTime(): number {
    return Date.now();
  }
}

class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}

/** Longest time of a timer in Node, nearly 25 days: with a longer one it would go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemTimers implements Timers {
  after(delayMs: number, callback: () => void): TimerHandle {
    const delay = Math.min(delayMs, LONGEST_TIMER_MS);
    const timer = setTimeout(callback, delay);
    timer.unref();
    if (Number.isInteger(delay)) return { cancel: () => clearTimeout(timer) };
    return {
      cancel: () => {
        // Node keeps a list for each delay that occurs, and leaves the empty ones of unref'd timers where they are until their time is
        // up: one for each cancelled timer with jitter, which has a delay of its own.
        timer.ref();
        clearTimeout(timer);
      },
    };
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    const timer = setInterval(callback, Math.min(periodMs, LONGEST_TIMER_MS));
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  }
}

/** The real clock, random source and timers of this process. */
export function systemPorts(): Ports {
  return { clock: new SystemClock(), random: new SystemRandom(), timers: new SystemTimers() };
}

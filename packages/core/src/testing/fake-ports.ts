import type { Clock, Ports, Random, TimerHandle, Timers } from '../ports/ports.js';

interface Pending {
  at: number;
  readonly order: number;
  readonly period: number | undefined;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeTime implements Clock, Timers {
  #now = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** @param startWallTime wall-clock time at monotonic zero, in milliseconds since 1970. */
  constructor(private readonly startWallTime = 1_700_000_000_000) {}

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.startWallTime + this.#now;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    return this.#schedule(delayMs, undefined, callback);
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    return this.#schedule(periodMs, periodMs, callback);
  }

  /** Timers that are waiting; a leak check for tests. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Monotonic milliseconds at which the next timer falls due; undefined when none is waiting. */
  get nextTimerAt(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#pending) if (next === undefined || at < next) next = at;
    return next;
  }

  /** Moves time forward and runs, in order, every timer that falls due on the way. */
  advance(ms: number): void {
    const target = this.#now + ms;
    for (;;) {
      let next: Pending | undefined;
      for (const entry of this.#pending) {
        if (
          entry.at <= target &&
          (next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order))
        ) {
          next = entry;
        }
      }
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.period === undefined) this.#pending.delete(next);
      else next.at += next.period;
      next.callback();
    }
    this.#now = target;
  }

  /** Like {@link advance}, but lets promise callbacks run before and after each step of `stepMs`. */
  async advanceAsync(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await settle();
      this.advance(Math.min(stepMs, left));
    }
    await settle();
  }

  #schedule(delayMs: number, period: number | undefined, callback: () => void): TimerHandle {
    // Node makes 1 ms of all these, silently; a test should hear of it.
    if (!(delayMs >= 0 && delayMs < 2 ** 31)) throw new RangeError(`a timer of ${delayMs} ms fires at once in Node`);
    if (period === 0) throw new RangeError('a timer with a period of 0 ms never lets time go on');
    const entry: Pending = { at: this.#now + delayMs, order: this.#order++, period, callback };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }
}

/** Lets every promise callback that is ready run; waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A small seeded generator (mulberry32), so that a failing seed is a one-line reproduction. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

/** Ports whose time moves only by {@link FakeTime.advance} and whose chance comes from `seed`. */
export function fakePorts(seed = 1): Ports & { readonly time: FakeTime } {
  const time = new FakeTime();
  return { clock: time, timers: time, random: new SeededRandom(seed), time };
}

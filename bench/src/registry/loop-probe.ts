import { closeSync, openSync, readSync } from 'node:fs';
import type { Turn } from './fleet.js';

const NS_PER_MS = 1e6;

/**
 * Watches how long each turn of the event loop takes: by the clock, and on a CPU, since on a busy machine the clock counts others. It
 * keeps the loop turning, so that no turn hides behind a timer that waits.
 */
export class LoopProbe {
  readonly #stat = openStat();
  readonly #text = Buffer.alloc(128);
  #wallAt = performance.now();
  #cpuAt = this.#cpu();
  #wall = 0;
  #cpuMs: number | undefined;
  #isOver = false;

  start(): void {
    this.take();
    const turn = (): void => {
      if (this.#isOver) return;
      this.#look();
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** The longest turn since the last time. */
  take(): Turn {
    this.#look();
    const turn = { wall: this.#wall, cpu: this.#cpuMs };
    this.#wall = 0;
    this.#cpuMs = undefined;
    return turn;
  }

  stop(): void {
    this.#isOver = true;
    if (this.#stat !== undefined) closeSync(this.#stat);
  }

  #look(): void {
    const wallNow = performance.now();
    const cpuNow = this.#cpu();
    this.#wall = Math.max(this.#wall, wallNow - this.#wallAt);
    if (cpuNow !== undefined && this.#cpuAt !== undefined)
      this.#cpuMs = Math.max(this.#cpuMs ?? 0, cpuNow - this.#cpuAt);
    this.#wallAt = performance.now();
    this.#cpuAt = cpuNow;
  }

  /** Milliseconds that the main thread has run, from the first field of schedstat. */
  #cpu(): number | undefined {
    if (this.#stat === undefined) return undefined;
    const length = readSync(this.#stat, this.#text, 0, this.#text.length, 0);
    return Number(this.#text.toString('latin1', 0, length).split(' ')[0]) / NS_PER_MS;
  }
}

function openStat(): number | undefined {
  try {
    return openSync('/proc/self/schedstat', 'r');
  } catch {
    return undefined;
  }
}

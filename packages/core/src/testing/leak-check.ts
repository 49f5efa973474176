import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Ports, TimerHandle, Timers } from '../ports/ports.js';
import { systemPorts } from '../ports/system.js';

/** What a process holds at one moment. */
export interface Holdings {
  /** Open files and sockets; undefined where the system does not list them. */
  readonly descriptors: number | undefined;
  /** Timers that wait, of those that the ports made. */
  readonly timers: number;
  /** Live bytes of the heap, after a collection. */
  readonly heapBytes: number;
}

/** Turns of the event loop in which whatever has ended is done with ending. */
const TURNS = 10;

/**
 * Tells whether something that is done a thousand times leaves anything behind: descriptors, timers, memory, or more listeners than Node
 * thinks sensible.
 */
export class LeakCheck {
  /** For what is to be checked: the real ones, and they count. */
  readonly ports: Ports;
  /** Warnings of Node about listeners since the start. */
  readonly warnings: string[] = [];
  readonly #timers: HeldTimers;
  readonly #onWarning = ({ name, message }: Error): void => {
    if (name === 'MaxListenersExceededWarning') this.warnings.push(message);
  };

  constructor(ports: Ports = systemPorts()) {
    this.#timers = new HeldTimers(ports.timers);
    this.ports = { ...ports, timers: this.#timers };
    process.on('warning', this.#onWarning);
  }

  /** What is held now. */
  async take(): Promise<Holdings> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    collectGarbage();
    return { descriptors: openDescriptors(), timers: this.#timers.held, heapBytes: process.memoryUsage().heapUsed };
  }

  close(): void {
    process.off('warning', this.#onWarning);
  }
}

/** Timers that count themselves while they wait. */
class HeldTimers implements Timers {
  readonly #held = new Set<object>();

  constructor(private readonly timers: Timers) {}

  get held(): number {
    return this.#held.size;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const mark = {};
    this.#held.add(mark);
    const timer = this.timers.after(delayMs, () => {
      this.#held.delete(mark);
      callback();
    });
    return this.#handle(timer, mark);
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    const mark = {};
    this.#held.add(mark);
    return this.#handle(this.timers.every(periodMs, callback), mark);
  }

  #handle(timer: TimerHandle, mark: object): TimerHandle {
    return {
      cancel: () => {
        this.#held.delete(mark);
        timer.cancel();
      },
    };
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

import type { Clock, TimerHandle, Timers } from '@mesher/core';

interface Event {
  readonly at: number;
  /** Events of one moment happen in the order in which they were planned. */
  readonly order: number;
  run: (() => void) | undefined;
}

/** Time that jumps from one planned event to the next, so that minutes of traffic pass in a second of computing. */
export class VirtualTime implements Clock, Timers {
  #now = 0;
  #order = 0;
  /** Binary heap, the next event on top. */
  readonly #heap: Event[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const event: Event = { at: this.#now + delayMs, order: this.#order++, run: callback };
    this.#push(event);
    return { cancel: () => (event.run = undefined) };
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    let timer: TimerHandle;
    const again = (): void => {
      timer = this.after(periodMs, again);
      callback();
    };
    timer = this.after(periodMs, again);
    return { cancel: () => timer.cancel() };
  }

  /** Lets everything happen that is planned up to `end`. */
  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      next.run?.();
    }
    this.#now = end;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && isBefore(heap[least + 1] as Event, heap[least] as Event)) least++;
      if (!isBefore(heap[least] as Event, last)) break;
      heap[at] = heap[least] as Event;
      at = least;
    }
    heap[at] = last;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

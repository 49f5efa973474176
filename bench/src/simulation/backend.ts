import type { Random } from '@mesher/core';
import type { FakeTime } from '@mesher/core/testing';

/** How a backend behaves. */
export interface BackendNature {
  /** Requests that it works on at a time; the others wait in their order. */
  readonly workers: number;
  /** Mean time that a request takes, in milliseconds, at a given time of the simulation; times are distributed exponentially. */
  readonly meanMs: (now: number) => number;
  /** True while it answers each request with 503 within a millisecond. */
  readonly isFailing: (now: number) => boolean;
  /** Milliseconds at which it appears in the registry. */
  readonly appearsAt: number;
  /** Weight in the registry. */
  readonly weight: number;
}

/** How long a failing backend takes to say so. */
const REFUSAL_MS = 1;

/** Requests that wait beyond which it refuses more, so that an overloaded backend has an end. */
const MAX_WAITING = 1000;

type Answer = (status: number) => void;

/** A server with some workers and a queue. */
export class Backend {
  #busy = 0;
  readonly #waiting: Answer[] = [];

  constructor(
    readonly nature: BackendNature,
    private readonly time: FakeTime,
    private readonly random: Random,
  ) {}

  /** @param answer is called with the status when the request is done */
  handle(answer: Answer): void {
    if (this.nature.isFailing(this.time.now()) || this.#waiting.length >= MAX_WAITING) {
      this.time.after(REFUSAL_MS, () => answer(503));
    } else if (this.#busy < this.nature.workers) this.#work(answer);
    else this.#waiting.push(answer);
  }

  #work(answer: Answer): void {
    this.#busy++;
    const takes = -Math.log(1 - this.random.next()) * this.nature.meanMs(this.time.now());
    this.time.after(takes, () => {
      this.#busy--;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#work(next);
      answer(200);
    });
  }
}

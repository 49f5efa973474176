import { Deadline, type Deadlines } from '../../deadlines.js';

/** What a connection may wait for; each has a time of its own. */
export const Wait = { settings: 0, frame: 1, preface: 2, idle: 3, silence: 4, ping: 5, drain: 6, linger: 7 } as const;

export type Wait = (typeof Wait)[keyof typeof Wait];

/** Told which wait has lasted too long. */
export interface TimesOwner {
  expired(wait: Wait): void;
}

/** The times of one connection, on one entry of the wheel. */
export class ConnectionTimes extends Deadline {
  /** Monotonic milliseconds by {@link Wait}. */
  readonly #due: number[] = Object.values(Wait).map(() => Infinity);

  constructor(
    private readonly owner: TimesOwner,
    private readonly deadlines: Deadlines,
  ) {
    super();
  }

  isExpecting(wait: Wait): boolean {
    return this.#due[wait] !== Infinity;
  }

  /** From now on `wait` may last so many milliseconds, whatever was said of it before. */
  expect(wait: Wait, delayMs: number): void {
    const next = this.at;
    this.deadlines.arm(this, delayMs);
    this.#due[wait] = this.at;
    if (next < this.at) this.at = next;
  }

  /** What was awaited has come. The entry stays in the wheel and finds that out by itself. */
  settle(wait: Wait): void {
    this.#due[wait] = Infinity;
  }

  /** Nothing is awaited any more. */
  stop(): void {
    this.#due.fill(Infinity);
    this.deadlines.remove(this);
  }

  override onDeadline(): void {
    const due = this.#due;
    const { now } = this.deadlines;
    for (let wait = 0; wait < due.length; wait++) {
      if (due[wait] > now) continue;
      due[wait] = Infinity;
      this.owner.expired(wait as Wait);
    }
    const next = Math.min(...due);
    if (next !== Infinity) this.deadlines.arm(this, Infinity, next);
  }
}

import type { Clock, TimerHandle, Timers } from '@mesher/core';

/** Milliseconds between two ticks: the precision of every timeout of the data path. */
const TICK_MS = 50;
/** Slots of the wheel, a power of two; later deadlines wait in the last slot and are filed again from there. */
const SLOTS = 512;

/** A tick that comes so late says that the event loop stood still meanwhile. */
const STALL_MS = 4 * TICK_MS;

/**
 * Something that has one deadline at a time.
 *
 * The fields are assigned by the constructor and only declared in the class: V8 defines class fields of a base with many subclasses
 * through its slow path, which was an eighth of all the CPU of a call over HTTP/2.
 */
export abstract class Deadline {
  /** Monotonic milliseconds; Infinity while there is none. */
  declare at: number;
  /** Tick in whose slot this is filed; -1 when it is in none. */
  declare filedAt: number;
  declare previous: Deadline | undefined;
  declare next: Deadline | undefined;

  constructor() {
    this.at = Infinity;
    this.filedAt = -1;
    this.previous = undefined;
    this.next = undefined;
  }

  /** Called once when the deadline has passed. */
  abstract onDeadline(): void;
}

/**
 * A timer wheel for the many timeouts of connections. Moving a deadline further away, which happens several times per request,
 * is one assignment: the entry stays in its slot and is filed again when that slot comes up. No timer per request, no closure.
 */
export class Deadlines {
  /** Time at the last tick: precise enough for timeouts, and free to read. */
  now: number;
  readonly #slots: (Deadline | undefined)[] = new Array<Deadline | undefined>(SLOTS).fill(undefined);
  #tick = 0;
  #filed = 0;
  #timer: TimerHandle | undefined;
  #excused = false;
  /** Time of tick 0. */
  #startedAt: number;

  constructor(
    private readonly clock: Clock,
    private readonly timers: Timers,
  ) {
    this.now = clock.now();
    this.#startedAt = this.now;
  }

  /**
   * Sets the deadline to `delayMs` from the last tick, plus one tick: while ticks are on time it fires up to two ticks late and never
   * early. Infinity means never.
   * @param latest monotonic milliseconds after which it is not to fire any later: at the first tick behind it
   */
  arm(entry: Deadline, delayMs: number, latest: number = Infinity): void {
    if (this.#timer === undefined && (delayMs !== Infinity || latest !== Infinity)) this.#start();
    let at = this.now + delayMs + TICK_MS;
    if (latest < at) at = latest;
    entry.at = at;
    if (entry.filedAt === -1) {
      if (at !== Infinity) this.#file(entry);
    } else if (at < this.#startedAt + entry.filedAt * TICK_MS) {
      this.#unfile(entry);
      this.#file(entry);
    }
  }

  /** Takes the deadline back, for now. */
  disarm(entry: Deadline): void {
    entry.at = Infinity;
  }

  /** Takes the entry out for good, so that the wheel holds no reference to it. */
  remove(entry: Deadline): void {
    entry.at = Infinity;
    if (entry.filedAt !== -1) this.#unfile(entry);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(): void {
    this.now = this.clock.now();
    // Nothing is filed, so ticks may be counted anew: from the start of the timer they are in step with it.
    this.#startedAt = this.now;
    this.#tick = 0;
    this.#timer = this.timers.every(TICK_MS, () => this.#advance());
  }

  #advance(): void {
    const late = this.clock.now() - this.now > STALL_MS;
    this.now = this.clock.now();
    // After a stall, what peers have sent meanwhile is read first: they have not been silent, we were deaf. Once, so that a loop that
    // is always late still has timeouts.
    this.#excused = late && !this.#excused;
    if (this.#excused) return;
    const target = Math.floor((this.now - this.#startedAt) / TICK_MS);
    // After a stall longer than the wheel every slot has come up once; more turns would find nothing new.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      const slot = this.#tick & (SLOTS - 1);
      // One at a time from the head, because a callback may remove or file others.
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
        this.#unfile(entry);
        if (entry.at <= this.now) {
          entry.at = Infinity;
          entry.onDeadline();
        } else if (entry.at !== Infinity) this.#file(entry);
      }
    }
    if (this.#filed === 0) this.close();
  }

  #file(entry: Deadline): void {
    const due = Math.ceil((entry.at - this.#startedAt) / TICK_MS);
    const tick = Math.min(Math.max(due, this.#tick + 1), this.#tick + SLOTS - 1);
    const slot = tick & (SLOTS - 1);
    const head = this.#slots[slot];
    entry.filedAt = tick;
    entry.next = head;
    entry.previous = undefined;
    if (head !== undefined) head.previous = entry;
    this.#slots[slot] = entry;
    this.#filed++;
  }

  #unfile(entry: Deadline): void {
    if (entry.previous !== undefined) entry.previous.next = entry.next;
    else this.#slots[entry.filedAt & (SLOTS - 1)] = entry.next;
    if (entry.next !== undefined) entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    entry.filedAt = -1;
    this.#filed--;
  }
}

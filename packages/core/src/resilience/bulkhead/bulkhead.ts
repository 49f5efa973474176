import { Rejection } from '../../errors.js';
import type { Invocation, Outcome } from '../../invocation.js';
import type { Ports, TimerHandle } from '../../ports/ports.js';
import type { AdaptiveValues } from '../../config/sections/isolation.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { isGivenUpByCaller, waitOf } from '../breaker/breaker-outcomes.js';

/** How many calls may be under way, and how many may wait; compiled from the configuration. */
export interface BulkheadSettings {
  /** Infinity for any number. */
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly queueTimeoutMs: number;
  /** Undefined while the limit is fixed. */
  readonly adaptive: AdaptiveValues | undefined;
  /** The key to raise, for messages. */
  readonly key: string;
}

/** Told when a call was refused. */
export interface BulkheadObserver {
  refused(bulkhead: Bulkhead, reason: BulkheadRefusal): void;
}

/** `full`: no room to wait; `timeout`: waited too long. */
export type BulkheadRefusal = 'full' | 'timeout';

/** Seconds after which a refused caller may ask again: calls usually end within one, and nothing better is known. */
const RETRY_SECONDS = 1;

interface Waiting {
  readonly until: number;
  readonly settle: (end: WaitingEnd) => void;
}

/**
 * How a wait ended: the call has a place, its caller has left (no place was taken), or why there is none. A caller may leave in the
 * very turn in which its call gets a place, so `ended` of the call does not tell.
 */
export type WaitingEnd = 'entered' | 'left' | Rejection;

/**
 * A limit on the calls of a service that are under way. Those beyond it wait in the order in which they came, if they may, and are
 * refused otherwise. Its limits may change at any time; the calls under way stay counted.
 */
export class Bulkhead {
  /** Calls under way. */
  inUse = 0;
  readonly #queue = new Set<Waiting>();
  #timer: TimerHandle | undefined;
  #adaptive: AdaptiveLimit | undefined;
  #full: Rejection | undefined;

  constructor(
    readonly name: string,
    private settings: BulkheadSettings,
    private readonly ports: Pick<Ports, 'clock' | 'timers'>,
    private readonly observer: BulkheadObserver,
  ) {
    this.#adapt();
  }

  /** How many calls may be under way now. */
  get limit(): number {
    const { maxConcurrent } = this.settings;
    return this.#adaptive === undefined ? maxConcurrent : Math.min(maxConcurrent, this.#adaptive.limit);
  }

  /** True while the limit is found by measuring. */
  get isAdaptive(): boolean {
    return this.#adaptive !== undefined;
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  adopt(settings: BulkheadSettings): void {
    this.settings = settings;
    this.#full = undefined;
    this.#adapt();
    this.#admitWaiting();
  }

  /**
   * Takes a place for a call, to be given back by {@link leave}.
   * @returns undefined when the call may pass, or why not; a promise while it waits
   */
  enter(call: Invocation): Rejection | Promise<WaitingEnd> | undefined {
    if (this.inUse < this.limit && this.#queue.size === 0) {
      this.inUse++;
      return undefined;
    }
    return this.#wait(call);
  }

  /**
   * Gives a place back.
   * @param measured duration in milliseconds of a call that says how fast the service is; undefined when it says nothing
   */
  leave(measured: number | undefined, now: number): void {
    if (measured !== undefined) this.#adaptive?.observe(measured, this.inUse, now);
    this.inUse--;
    this.#admitWaiting();
  }

  /** Gives back the place of a call that has ended. */
  left(call: Invocation, outcome: Outcome): void {
    const bestMs = this.#adaptive?.bestMs ?? Infinity;
    this.leave(measured(call, outcome, bestMs), call.startedAt + outcome.durationMs);
  }

  /** What {@link enter} would answer to a call that it neither lets pass nor lets wait, without deciding about any. */
  get refusal(): Rejection | undefined {
    const isFull = this.inUse >= this.limit || this.queued > 0;
    return isFull && this.queued >= this.settings.maxQueue ? this.#fullRejection() : undefined;
  }

  /** In one line: how full it is. */
  describe(): string {
    const { maxQueue } = this.settings;
    const limit = this.limit === Infinity ? 'any number of' : String(this.limit);
    const queue = maxQueue > 0 ? `, ${this.queued} of ${maxQueue} wait` : '';
    return `${this.inUse} calls under way, ${limit} may be${this.isAdaptive ? ' (adaptive)' : ''}${queue}`;
  }

  #wait(call: Invocation): Rejection | Promise<WaitingEnd> {
    const { maxQueue, queueTimeoutMs } = this.settings;
    if (this.#queue.size >= maxQueue) return this.#refuse();
    const until = this.ports.clock.now() + queueTimeoutMs;
    return new Promise((resolve) => {
      const settle = (end: WaitingEnd): void => {
        this.#queue.delete(waiting);
        if (this.#queue.size === 0) this.#stopTimer();
        call.wake = undefined;
        resolve(end);
      };
      const waiting: Waiting = { until, settle };
      this.#queue.add(waiting);
      this.#timer ??= this.ports.timers.after(queueTimeoutMs, () => this.#expire());
      // A caller that leaves makes room for another one at once.
      call.wake = () => settle('left');
    });
  }

  #admitWaiting(): void {
    for (const { settle } of this.#queue) {
      if (this.inUse >= this.limit) return;
      this.inUse++;
      settle('entered');
    }
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.ports.clock.now();
    for (const { until, settle } of this.#queue) {
      if (until > now) {
        this.#timer = this.ports.timers.after(until - now, () => this.#expire());
        return;
      }
      settle(this.#refuseLate());
    }
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #refuse(): Rejection {
    this.observer.refused(this, 'full');
    return this.#fullRejection();
  }

  #fullRejection(): Rejection {
    const { key, maxQueue } = this.settings;
    const limit = this.limit;
    const waiting = maxQueue > 0 ? `, and ${maxQueue} wait` : '';
    const text = `${limit} calls of ${this.name} are under way, which is the limit (${key})${waiting}`;
    // One object while nothing changes: a full bulkhead answers as fast as calls come.
    if (this.#full?.message !== text) this.#full = new Rejection('MESH_ERR_BULKHEAD_FULL', text, RETRY_SECONDS);
    return this.#full;
  }

  #refuseLate(): Rejection {
    this.observer.refused(this, 'timeout');
    const { key, queueTimeoutMs } = this.settings;
    return new Rejection(
      'MESH_ERR_BULKHEAD_FULL',
      `The call waited ${queueTimeoutMs} ms for one of the ${this.limit} places of ${this.name} (${key})`,
      RETRY_SECONDS,
    );
  }

  #adapt(): void {
    const { adaptive } = this.settings;
    if (adaptive === undefined) this.#adaptive = undefined;
    else if (this.#adaptive === undefined) this.#adaptive = new AdaptiveLimit(adaptive);
    else this.#adaptive.adopt(adaptive);
  }
}

/**
 * How long the call took, if that says something about how busy the service is: it was answered, or timed out after a time in which
 * others are, and the time does not hold a wait for a place.
 */
function measured(call: Invocation, outcome: Outcome, bestMs: number): number | undefined {
  const { aborted, code } = outcome;
  const durationMs = waitOf(outcome);
  if (aborted || call.waited) return undefined;
  if (code === undefined) return durationMs;
  // A caller with less time than the service needs at best would otherwise set a best that it can never reach.
  const isSlow = code === 'MESH_ERR_TIMEOUT' && durationMs > bestMs && !isGivenUpByCaller(call, outcome);
  return isSlow ? durationMs : undefined;
}

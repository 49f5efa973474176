import type { Direction } from '@mesher/core';
import type { DetectedProtocol } from '../detect.js';

/** What a connection turned out to speak; `opaque`: nobody looked; `unknown`: it never came so far. */
export type SeenProtocol = DetectedProtocol | 'server-first' | 'opaque' | 'unknown';

/**
 * mesh: the policies of the mesh decide; passed: it goes where it was going; refused: nobody may go there by this way; loop: it was going to the listener itself; direct: nobody
 * had brought it; gone: the client had left; failed: nobody could tell where it was going.
 */
export type Verdict = 'mesh' | 'passed' | 'refused' | 'loop' | 'direct' | 'gone' | 'failed';

/** One number for each kind of connection. */
export interface TransparentCount {
  readonly direction: Direction | 'unknown';
  readonly protocol: SeenProtocol;
  readonly verdict: Verdict;
  readonly count: number;
}

/** Connections of transparent listeners. The labels are of fixed sets, so there are some dozens at most. */
export class TransparentCounts implements Iterable<TransparentCount> {
  readonly #counts = new Map<string, { -readonly [K in keyof TransparentCount]: TransparentCount[K] }>();

  add(direction: TransparentCount['direction'], protocol: SeenProtocol, verdict: Verdict): void {
    const key = `${direction} ${protocol} ${verdict}`;
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { direction, protocol, verdict, count: 1 });
    else entry.count++;
  }

  /** The sum of those that have all the given labels. */
  of(wanted: Partial<Omit<TransparentCount, 'count'>>): number {
    let sum = 0;
    for (const entry of this.#counts.values()) {
      const { direction = entry.direction, protocol = entry.protocol, verdict = entry.verdict } = wanted;
      if (entry.direction === direction && entry.protocol === protocol && entry.verdict === verdict) sum += entry.count;
    }
    return sum;
  }

  [Symbol.iterator](): Iterator<TransparentCount> {
    return this.#counts.values();
  }
}

/** What is known about the calls of a window. */
export interface WindowCounts {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** Counts the latest calls; what is too old is forgotten. Nothing here needs a timer or allocates. */
export interface BreakerWindow extends WindowCounts {
  /** @param now monotonic milliseconds; one that lies before an earlier one counts as that */
  count(failed: boolean, slow: boolean, now: number): void;
  /** Forgets what is too old at `now`; to be called before the counts are read. */
  rotate(now: number): void;
  clear(): void;
}

/** Numbers per bucket: calls, failures, slow calls. */
const FIELDS = 3;

/** The calls of the last so many milliseconds, in buckets that are forgotten one after the other. */
export class TimeWindow implements BreakerWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  readonly #counts: Uint32Array;
  readonly #buckets: number;
  readonly #bucketMs: number;
  /** Number of the present bucket since the beginning of time. */
  #epoch = 0;

  /**
   * @param lengthMs length of the window in milliseconds
   * @param buckets parts of it
   */
  constructor(lengthMs: number, buckets: number) {
    this.#buckets = buckets;
    this.#bucketMs = lengthMs / buckets;
    this.#counts = new Uint32Array(buckets * FIELDS);
  }

  count(failed: boolean, slow: boolean, now: number): void {
    this.rotate(now);
    const counts = this.#counts;
    const at = (this.#epoch % this.#buckets) * FIELDS;
    this.calls++;
    (counts[at] as number)++;
    if (failed) {
      this.failures++;
      (counts[at + 1] as number)++;
    }
    if (slow) {
      this.slow++;
      (counts[at + 2] as number)++;
    }
  }

  rotate(now: number): void {
    const epoch = Math.floor(now / this.#bucketMs);
    const passed = epoch - this.#epoch;
    if (passed <= 0) return;
    if (passed >= this.#buckets) this.clear();
    else for (let i = 1; i <= passed; i++) this.#forget((this.#epoch + i) % this.#buckets);
    this.#epoch = epoch;
  }

  clear(): void {
    this.#counts.fill(0);
    this.calls = this.failures = this.slow = 0;
  }

  #forget(bucket: number): void {
    const counts = this.#counts;
    const at = bucket * FIELDS;
    this.calls -= counts[at] as number;
    this.failures -= counts[at + 1] as number;
    this.slow -= counts[at + 2] as number;
    counts[at] = counts[at + 1] = counts[at + 2] = 0;
  }
}

const FAILED = 1;
const SLOW = 2;

/** The last so many calls, however long ago: what java-chassis calls a sliding window of type `count`. */
export class CountWindow implements BreakerWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  readonly #marks: Uint8Array;
  #next = 0;

  /** @param size how many calls */
  constructor(size: number) {
    this.#marks = new Uint8Array(size);
  }

  count(failed: boolean, slow: boolean): void {
    const marks = this.#marks;
    const mark = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    if (this.calls < marks.length) this.calls++;
    else this.#add(marks[this.#next] as number, -1);
    this.#add(mark, 1);
    marks[this.#next] = mark;
    this.#next = (this.#next + 1) % marks.length;
  }

  rotate(): void {
    // nothing is ever too old
  }

  clear(): void {
    this.calls = this.failures = this.slow = this.#next = 0;
  }

  #add(mark: number, by: 1 | -1): void {
    if ((mark & FAILED) !== 0) this.failures += by;
    if ((mark & SLOW) !== 0) this.slow += by;
  }
}

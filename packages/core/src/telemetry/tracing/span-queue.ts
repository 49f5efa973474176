import type { SpanRecord } from './span-record.js';

/** Spans that wait to be exported: a ring of fixed size, so that a dead collector costs no more than that. */
export class SpanQueue {
  readonly #ring: (SpanRecord | undefined)[];
  #start = 0;
  #size = 0;

  /** @param capacity spans that may wait */
  constructor(capacity: number) {
    this.#ring = new Array<SpanRecord | undefined>(capacity).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false when the ring is full, and the span is not kept */
  push(span: SpanRecord): boolean {
    const { length } = this.#ring;
    if (this.#size === length) return false;
    this.#ring[(this.#start + this.#size) % length] = span;
    this.#size++;
    return true;
  }

  /** Takes out the oldest ones. */
  take(count: number): SpanRecord[] {
    const { length } = this.#ring;
    const taken: SpanRecord[] = [];
    while (this.#size > 0 && taken.length < count) {
      taken.push(this.#ring[this.#start] as SpanRecord);
      this.#ring[this.#start] = undefined;
      this.#start = (this.#start + 1) % length;
      this.#size--;
    }
    return taken;
  }
}

import { MAX_STREAM_ID } from '../frames/frame-format.js';

/** The ids that a client may give to its streams: odd ones, each once, upwards (RFC 9113, 5.1.1). */
export class StreamIds {
  #next: number;

  /** @param first odd */
  constructor(first: number = 1) {
    this.#next = first;
  }

  /** No id is left: further calls need another connection. */
  get isUsedUp(): boolean {
    return this.#next > MAX_STREAM_ID;
  }

  /** True for ids that were not given out, even ones among them: those would be pushes, which nobody has allowed. */
  isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.#next;
  }

  next(): number {
    const id = this.#next;
    this.#next += 2;
    return id;
  }
}

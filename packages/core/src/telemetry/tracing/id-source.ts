import { randomFillSync } from 'node:crypto';
import { isAllZero } from './hex.js';

/** Bytes drawn at once: a call into the system's generator costs a microsecond, whether for 8 bytes or for some thousand. */
const POOL_BYTES = 4096;
const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/**
 * Ids of traces and spans out of a pool of random digits. The generator is that of `node:crypto`: ids must differ between processes that
 * were forked or restored from one image.
 */
export class IdSource {
  readonly #bytes = Buffer.allocUnsafe(POOL_BYTES);
  #digits = '';
  #at = 0;

  /** @param fill fills a buffer with random bytes; tests give their own */
  constructor(private readonly fill: (buffer: Buffer) => void = (buffer) => void randomFillSync(buffer)) {}

  /** 32 hexadecimal digits, not all zero. */
  traceId(): string {
    return this.#take(TRACE_DIGITS);
  }

  /** 16 hexadecimal digits, not all zero. */
  spanId(): string {
    return this.#take(SPAN_DIGITS);
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#digits.length) {
      this.fill(this.#bytes);
      this.#digits = this.#bytes.toString('hex');
      this.#at = 0;
    }
    const id = this.#digits.slice(this.#at, this.#at + digits);
    this.#at += digits;
    return isAllZero(id) ? `${id.slice(1)}1` : id;
  }
}

import type { Clock } from '../../ports/ports.js';
import { RateLimit, type LimitParts, type LimitShape } from './rate-limit.js';

/** Buckets looked at for one that may go, when a new service comes and there is no room: a bound on what one call costs. */
const LOOKS_PER_NEWCOMER = 8;

/** Longest name that gets a bucket, the longest that a service may have: longer ones would only fill the memory. */
const LONGEST_NAME = 128;

/** Stands for all services without a bucket of their own. */
const REST = '(rest)';

/**
 * A limit that every service has for itself. Names of calling services may be anything that somebody writes into a header, so the
 * number of buckets is bounded: a full bucket, which tells as much as a new one, makes room; when there is none, the newcomers share one.
 */
export class KeyedLimits {
  readonly #byKey = new Map<string, RateLimit>();
  readonly #rest: RateLimit;

  constructor(
    private shape: LimitShape,
    private maxKeys: number,
    private readonly parts: LimitParts,
    private readonly clock: Clock = parts.clock,
  ) {
    this.#rest = new RateLimit(this.#shapeOf(REST), parts);
  }

  /** Services with a bucket of their own. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The bucket of a service; made when there is room for it. */
  of(key: string): RateLimit {
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    if (key.length > LONGEST_NAME) return this.#rest;
    if (this.#byKey.size >= this.maxKeys && !this.#makeRoom()) return this.#rest;
    const limit = new RateLimit(this.#shapeOf(key), this.parts);
    this.#byKey.set(key, limit);
    return limit;
  }

  /** What {@link of} would give where there is room; a bucket that would be new is not kept. */
  peek(key: string): RateLimit {
    const found = this.#byKey.get(key);
    if (found !== undefined) return found;
    return key.length > LONGEST_NAME ? this.#rest : new RateLimit(this.#shapeOf(key), this.parts);
  }

  adjust(shape: LimitShape, maxKeys: number): void {
    this.shape = shape;
    this.maxKeys = maxKeys;
    for (const [key, limit] of this.#byKey) limit.adjust(this.#shapeOf(key));
    this.#rest.adjust(this.#shapeOf(REST));
    for (const key of this.#byKey.keys()) {
      if (this.#byKey.size <= maxKeys) break;
      this.#byKey.delete(key);
    }
  }

  /** Looks at the buckets that were not looked at for longest. */
  #makeRoom(): boolean {
    const now = this.clock.now();
    let looks = LOOKS_PER_NEWCOMER;
    for (const [key, limit] of this.#byKey) {
      this.#byKey.delete(key);
      if (limit.bucket.isFull(now)) return true;
      this.#byKey.set(key, limit);
      if (--looks === 0) break;
    }
    return false;
  }

  #shapeOf(key: string): LimitShape {
    return { ...this.shape, id: `${this.shape.id}/${key}` };
  }
}

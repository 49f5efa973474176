import type { Clock } from '../ports/ports.js';
import type { Endpoint } from './endpoint.js';

/** Those of a set that rest after failed connects. Each gets one call when its rest is over, and the others wait for what becomes of it. */
export class RestingEndpoints {
  #resting: readonly Endpoint[] = [];
  /** Before that nobody's rest is over. */
  #nextAt = Infinity;

  constructor(private readonly clock: Clock) {}

  get isEmpty(): boolean {
    return this.#resting.length === 0;
  }

  collect(endpoints: readonly Endpoint[]): void {
    this.#resting = endpoints.filter((endpoint) => endpoint.restingUntil !== 0);
    this.#nextAt = this.isEmpty ? Infinity : 0;
  }

  /** An endpoint whose rest is over, none of `tried`. Whoever gets it sends a call there. */
  probe(tried: readonly Endpoint[]): Endpoint | undefined {
    if (this.#nextAt === Infinity) return undefined;
    const now = this.clock.now();
    if (now < this.#nextAt) return undefined;
    let next = Infinity;
    for (const endpoint of this.#resting) {
      const { restingUntil } = endpoint;
      if (restingUntil === 0) continue;
      if (restingUntil > now || tried.includes(endpoint)) {
        next = Math.min(next, restingUntil);
        continue;
      }
      // If the call ends without having dialled, the next one may try after another rest.
      endpoint.restingUntil = now + endpoint.restMs;
      endpoint.probing = true;
      return endpoint;
    }
    this.#nextAt = next;
    return undefined;
  }
}

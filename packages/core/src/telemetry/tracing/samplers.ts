/** Decides whether a trace that begins here is recorded. */
export interface Sampler {
  /** True: it wants the name of the span; for others that need not be found. */
  readonly byOperation?: boolean;
  /**
   * @param now monotonic milliseconds
   * @param operation name of the span, empty where it is not wanted
   */
  decide(traceId: string, now: number, operation: string): boolean;
}

export const SAMPLER_TYPES = ['const', 'probabilistic', 'ratelimiting'] as const;

/** A kind of sampler, as Jaeger's clients name them. */
export type SamplerType = (typeof SAMPLER_TYPES)[number];

/** The digits of a trace id that are random by all specifications, as far as a number holds them: 52 of the last 56 bits. */
const RANDOM_START = 18;
const RANDOM_END = 31;
const RANDOM_RANGE = 2 ** 52;

/**
 * @param param const: 0 or 1; probabilistic: the share, 0 to 1; ratelimiting: traces per second
 */
export function makeSampler(type: SamplerType, param: number): Sampler {
  switch (type) {
    case 'const':
      return { decide: () => param > 0 };
    case 'probabilistic':
      return probabilistic(param);
    case 'ratelimiting':
      return new RateLimitingSampler(param);
  }
}

/**
 * The id decides, in the way that OpenTelemetry's consistent sampling has it: of sidecars that see the same trace, the one with the
 * higher share records whatever one with a lower share records.
 */
function probabilistic(share: number): Sampler {
  const threshold = (1 - share) * RANDOM_RANGE;
  return { decide: (traceId) => Number.parseInt(traceId.slice(RANDOM_START, RANDOM_END), 16) >= threshold };
}

/** A bucket of as many traces as come in a second, at least one, so that a rate below 1 works too. */
class RateLimitingSampler implements Sampler {
  #balance: number;
  #at = -Infinity;
  readonly #most: number;

  constructor(private readonly perSecond: number) {
    this.#most = perSecond > 0 ? Math.max(1, perSecond) : 0;
    this.#balance = this.#most;
  }

  decide(_traceId: string, now: number): boolean {
    if (now > this.#at) {
      const gained = this.#at === -Infinity ? 0 : ((now - this.#at) / 1000) * this.perSecond;
      this.#balance = Math.min(this.#most, this.#balance + gained);
      this.#at = now;
    }
    if (this.#balance < 1) return false;
    this.#balance--;
    return true;
  }
}

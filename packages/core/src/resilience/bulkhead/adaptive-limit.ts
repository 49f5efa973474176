import type { AdaptiveValues } from '../../config/sections/isolation.js';

/** Calls in a sample window below which the limit stays: the average of a few says nothing. */
const MIN_SAMPLES = 10;
/** The limit is at most halved at a time, however slow the service has become. */
const STEEPEST = 0.5;
/** Share of the new value in the limit; the rest is the old one. Single windows should not make it jump. */
const SMOOTHING = 0.5;
/** Windows with a lowered limit, in which the best duration is measured again: one for the calls under way, one to measure. */
const REMEASURE_WINDOWS = 2;
/** How far the limit is lowered for that, in multiples of the tolerance: below where the service is full, so that nothing waits there. */
const REMEASURE_DEPTH = 4 / 3;

/**
 * A limit on concurrent calls that follows the service. The longer calls take than at best, the steeper the limit falls; otherwise
 * it grows by its square root, so that it finds more room if there is some. The best duration is forgotten after a while and
 * measured again with a lowered limit: otherwise a limit that was too high would take the waiting that it causes for the nature of
 * the service.
 */
export class AdaptiveLimit {
  #limit: number;
  #sum = 0;
  #samples = 0;
  #busiest = 0;
  #windowEndsAt = 0;
  #best = Infinity;
  #bestBefore = Infinity;
  #baselineEndsAt = 0;
  #remeasuring = 0;
  #limitBefore = 0;

  constructor(private values: AdaptiveValues) {
    this.#limit = this.#clamp(values.initialLimit);
  }

  /** How many calls may be under way now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Average duration in the best sample window that is remembered, in milliseconds; Infinity while nothing is known. */
  get bestMs(): number {
    return Math.min(this.#best, this.#bestBefore);
  }

  adopt(values: AdaptiveValues): void {
    this.values = values;
    this.#limit = this.#clamp(this.#limit);
  }

  /**
   * Takes note of a call that was answered, or that timed out.
   * @param inFlight calls under way when it ended, itself included
   * @param now monotonic milliseconds
   */
  observe(durationMs: number, inFlight: number, now: number): void {
    const { sampleWindowInMilliseconds: window, baselineWindowInMilliseconds: baseline } = this.values;
    if (this.#windowEndsAt === 0) {
      this.#windowEndsAt = now + window;
      this.#baselineEndsAt = now + baseline;
    }
    this.#sum += durationMs;
    this.#samples++;
    if (inFlight > this.#busiest) this.#busiest = inFlight;
    if (now < this.#windowEndsAt || this.#samples < MIN_SAMPLES) return;
    this.#windowEndsAt = now + window;
    this.#update(this.#sum / this.#samples, now);
    this.#sum = this.#samples = this.#busiest = 0;
  }

  #update(averageMs: number, now: number): void {
    if (this.#remeasuring > 0) {
      if (--this.#remeasuring > 0) return;
      this.#best = Math.min(this.#best, averageMs);
      this.#limit = this.#clamp(this.#limitBefore);
      return;
    }
    if (now >= this.#baselineEndsAt) {
      this.#forget(now);
      return;
    }
    this.#best = Math.min(this.#best, averageMs);
    const { tolerance } = this.values;
    const gradient = averageMs === 0 ? 1 : Math.min(1, Math.max(STEEPEST, (tolerance * this.bestMs) / averageMs));
    const wanted = this.#limit * gradient + Math.sqrt(this.#limit);
    // Nobody asks for more: how the service would take more is not known.
    if (wanted > this.#limit && this.#busiest < this.#limit / 2) return;
    this.#limit = this.#clamp(this.#limit + SMOOTHING * (wanted - this.#limit));
  }

  #forget(now: number): void {
    const { tolerance, baselineWindowInMilliseconds: baseline } = this.values;
    this.#baselineEndsAt = now + baseline;
    this.#bestBefore = this.#best;
    this.#best = Infinity;
    this.#remeasuring = REMEASURE_WINDOWS;
    this.#limitBefore = this.#limit;
    this.#limit = this.#clamp(this.#limit / (tolerance * REMEASURE_DEPTH));
  }

  #clamp(limit: number): number {
    const { minLimit, maxLimit } = this.values;
    return Math.max(minLimit, Math.min(maxLimit, limit));
  }
}

import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { latencyNow, latencyOf, learnPeak } from './latency.js';
import type { BalancerFactory } from './load-balancer.js';
import type { Strategy } from './strategy.js';
import { TwoChoices } from './two-choices.js';

/**
 * Of two endpoints drawn by weight the one where a call waits less: its average duration, in which peaks count at once, times the
 * attempts that are there already (the "peak EWMA" of Finagle and Linkerd). Until both have answered once, only the attempts count:
 * a guess about a new one would either flood it or keep it out.
 */
class PeakEwma extends TwoChoices {
  #now = 0;

  constructor(
    endpoints: readonly Endpoint[],
    private readonly ports: Ports,
    private readonly decayMs: number,
  ) {
    super(endpoints, ports);
  }

  protected override prepare(): void {
    this.#now = this.ports.clock.now();
  }

  protected isCheaper(second: number, first: number): boolean {
    const one = this.endpoints[first] as Endpoint;
    const other = this.endpoints[second] as Endpoint;
    const queueOfOne = 1 + one.inFlight / (this.heaviness[first] as number);
    const queueOfOther = 1 + other.inFlight / (this.heaviness[second] as number);
    if (one.latencyMs === 0 || other.latencyMs === 0) return queueOfOther < queueOfOne;
    return (
      latencyNow(other, this.#now, this.decayMs) * queueOfOther < latencyNow(one, this.#now, this.decayMs) * queueOfOne
    );
  }
}

/** @param decayMs time after which an old duration counts e^-1 */
export function peakEwma(decayMs: number): Pick<Strategy, 'factory' | 'learn'> {
  const factory: BalancerFactory = (endpoints, ports) => new PeakEwma(endpoints, ports, decayMs);
  return {
    factory,
    learn(endpoint, outcome, now) {
      const sample = latencyOf(outcome, endpoint);
      if (sample !== undefined) learnPeak(endpoint, sample, now, decayMs);
    },
  };
}

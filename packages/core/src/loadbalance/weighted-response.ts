import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import { AliasTable } from './alias-table.js';
import { latencyOf, learnMean } from './latency.js';
import type { BalancerFactory, LoadBalancer } from './load-balancer.js';
import type { Strategy } from './strategy.js';

/** Time between two looks at the durations: smooth for people, and 30 times as often as go-chassis looks. */
const LOOK_EVERY_MS = 1000;

/** For many endpoints a look takes longer, so they are looked at less often: about 1 % of the time at 10,000. */
const LOOK_EVERY_MS_PER_ENDPOINT = 0.1;

/** The slowest one still gets so much of the share of the fastest: without calls nobody would notice that it is fast again. */
const LEAST_RATIO = 0.02;

/**
 * Draws by weight / average duration. Shares change once per second, and in proportion: an endpoint that is four times as fast gets
 * four times the calls, and no caller runs to the fastest with all it has.
 */
class WeightedResponse implements LoadBalancer {
  #table: AliasTable | undefined;
  #nextLook = 0;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    private readonly ports: Ports,
  ) {}

  pick(): Endpoint | undefined {
    const { endpoints } = this;
    if (endpoints.length < 2) return endpoints[0];
    const now = this.ports.clock.now();
    if (this.#table === undefined || now >= this.#nextLook) {
      this.#table = this.#look();
      this.#nextLook = now + Math.max(LOOK_EVERY_MS, endpoints.length * LOOK_EVERY_MS_PER_ENDPOINT);
    }
    return endpoints[this.#table.draw(this.ports.random)];
  }

  shares(): readonly number[] {
    return this.endpoints.length === 0 ? [] : Array.from((this.#table ?? this.#look()).shares);
  }

  #look(): AliasTable {
    const speeds = Float64Array.from(this.endpoints, ({ latencyMs }) => (latencyMs === 0 ? 0 : 1 / latencyMs));
    const known = speeds.filter((speed) => speed > 0);
    const fastest = known.length === 0 ? 1 : known.reduce((most, speed) => Math.max(most, speed));
    // Of whom nothing is known, the average is assumed.
    const usual = known.length === 0 ? 1 : known.reduce((sum, speed) => sum + speed) / known.length;
    // Ratios, no greater than 1: the product of a huge weight with more is infinite.
    return new AliasTable(
      this.endpoints.map(({ weight }, index) => weight * Math.max((speeds[index] || usual) / fastest, LEAST_RATIO)),
    );
  }
}

/** @param decayMs time after which an old duration counts e^-1 */
export function weightedResponse(decayMs: number): Pick<Strategy, 'factory' | 'learn'> {
  const factory: BalancerFactory = (endpoints, ports) => new WeightedResponse(endpoints, ports);
  return {
    factory,
    learn(endpoint, outcome, now) {
      const sample = latencyOf(outcome, endpoint);
      if (sample !== undefined) learnMean(endpoint, sample, now, decayMs);
    },
  };
}

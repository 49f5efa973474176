import type { CallView, Outcome } from '../invocation.js';
import type { BalancerFactory, LoadBalancer } from '../loadbalance/load-balancer.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from './endpoint.js';

/** Picks after which the balancer is no longer asked for an endpoint that was not tried: a heavy one is named many times. */
const MAX_TURNS = 16;

const NONE: readonly Endpoint[] = [];

/**
 * The endpoints of a service for one protocol. The balancer chooses among those that do not rest after failed connects, so that the
 * share of a resting one is spread over all others and not left to its neighbour. When all rest, it chooses among all: a
 * failed attempt is better than none.
 */
export class Candidates {
  #balancer: LoadBalancer;
  #resting: readonly Endpoint[] = NONE;

  constructor(
    readonly endpoints: readonly Endpoint[],
    private readonly factory: BalancerFactory,
    private readonly ports: Ports,
  ) {
    this.#balancer = factory(endpoints, ports);
  }

  /**
   * The endpoint for the next attempt.
   * @param tried endpoints that are not to be named again
   * @returns undefined when there are none, or all were tried
   */
  pick(call: CallView, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    if (tried === undefined && this.#resting.length === 0) {
      const endpoint = this.#balancer.pick(call);
      if (endpoint === undefined || endpoint.restingUntil === 0) return endpoint;
      this.#sortOut();
    }
    return this.#pickAround(call, tried ?? NONE);
  }

  observe(endpoint: Endpoint, outcome: Outcome): void {
    this.#balancer.observe?.(endpoint, outcome);
  }

  #pickAround(call: CallView, tried: readonly Endpoint[]): Endpoint | undefined {
    if (!this.#resting.every(isResting)) this.#sortOut();
    const probe = this.#probe(tried);
    if (probe !== undefined) return probe;
    for (let turn = Math.min(2 * this.endpoints.length, MAX_TURNS); turn > 0; turn--) {
      let endpoint = this.#balancer.pick(call);
      if (endpoint !== undefined && isResting(endpoint) && this.#resting.length < this.endpoints.length) {
        this.#sortOut();
        endpoint = this.#balancer.pick(call);
      }
      if (endpoint !== undefined && !tried.includes(endpoint)) return endpoint;
    }
    return this.#anyLeft(tried);
  }

  /** An endpoint whose rest is over: one call goes there, and the others wait for what becomes of it. */
  #probe(tried: readonly Endpoint[]): Endpoint | undefined {
    if (this.#resting.length === 0) return undefined;
    const now = this.ports.clock.now();
    for (const endpoint of this.#resting) {
      if (endpoint.restingUntil > now || tried.includes(endpoint)) continue;
      // If the call ends without having dialled, the next one may try after another rest.
      endpoint.restingUntil = now + endpoint.restMs;
      endpoint.probing = true;
      return endpoint;
    }
    return undefined;
  }

  /** Whatever was not tried, best one that does not rest, else the one whose rest ends first. */
  #anyLeft(tried: readonly Endpoint[]): Endpoint | undefined {
    let best: Endpoint | undefined;
    for (const endpoint of this.endpoints) {
      if (tried.includes(endpoint)) continue;
      if (best === undefined || endpoint.restingUntil < best.restingUntil) best = endpoint;
    }
    return best;
  }

  #sortOut(): void {
    this.#resting = this.endpoints.filter(isResting);
    const awake =
      this.#resting.length === this.endpoints.length
        ? this.endpoints
        : this.endpoints.filter((endpoint) => !isResting(endpoint));
    this.#balancer = this.factory(awake, this.ports);
  }
}

function isResting(endpoint: Endpoint): boolean {
  return endpoint.restingUntil !== 0;
}

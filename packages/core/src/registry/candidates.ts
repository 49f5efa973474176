import type { Invocation, Outcome } from '../invocation.js';
import type { Balance } from '../loadbalance/balancing.js';
import type { BalanceReports } from '../loadbalance/balance-reports.js';
import { Gate } from '../loadbalance/gate.js';
import { SessionCookie } from '../loadbalance/session-cookie.js';
import { warmth } from '../loadbalance/slow-start.js';
import { TierSet } from '../loadbalance/tier-set.js';
import type { Ports } from '../ports/ports.js';
import type { Availability } from './availability.js';
import type { Endpoint } from './endpoint.js';
import { RestingEndpoints } from './resting-endpoints.js';

/** Picks after which the balancer is no longer asked for an endpoint that was not tried: a heavy one is named many times. */
const MAX_TURNS = 16;

/** Up to so many endpoints, every change of who takes calls counts at once: sorting them out takes some microseconds. */
const FEW_ENDPOINTS = 256;

/** With more, they are sorted out at most this often; 100 ms for 10,000, so about 1 % of the time whatever flips how often. */
const SORT_EVERY_MS_PER_ENDPOINT = 0.01;

const NONE: readonly Endpoint[] = [];

/** What a set of candidates belongs to. */
export interface CandidatesOwner {
  readonly service: string;
  /** Which endpoints of the service, for people. */
  readonly set: string;
  readonly ports: Ports;
  /** Counts the changes of who takes calls. */
  readonly availability: Availability;
  readonly reports: BalanceReports;
  /** Sets in a panic. Kept by the service, since a panic outlives the snapshot in which it began. */
  readonly panicking: Set<string>;
}

/**
 * The endpoints of a service for one protocol. The balancer chooses among those that take calls, so that the share of one that rests,
 * is ejected or whose breaker is open is spread over all others and not left to its neighbour. While all of them take calls, a pick
 * costs one comparison more than the balancer's own.
 */
export class Candidates {
  readonly #gate = new Gate();
  readonly #tiers: TierSet;
  readonly #sessions: SessionCookie | undefined;
  readonly #resting: RestingEndpoints;
  /** State of the availability that the balancers were made for. */
  #seen = -1;
  #sortAt = -Infinity;
  /** There is nothing to look after: the balancer alone decides. */
  #isPlain = false;
  #isWarming = false;

  constructor(
    readonly endpoints: readonly Endpoint[],
    readonly balance: Balance,
    private readonly owner: CandidatesOwner,
  ) {
    this.#tiers = new TierSet(endpoints, balance, owner.ports, this.#gate);
    this.#sessions = balance.session === undefined ? undefined : new SessionCookie(endpoints, balance.session);
    this.#resting = new RestingEndpoints(owner.ports.clock);
  }

  /** True once somebody asked for an endpoint. */
  get wasAsked(): boolean {
    return this.#seen !== -1;
  }

  /** True while ejections and breakers are ignored, because too few endpoints are fit. */
  get isPanicking(): boolean {
    this.#refresh();
    return this.owner.panicking.has(this.owner.set);
  }

  /**
   * The endpoint for the next attempt.
   * @param tried endpoints that are not to be named again
   * @returns undefined when there are none, or all were tried
   */
  pick(call: Invocation, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    if (this.owner.availability.version !== this.#seen) this.#refresh();
    if (this.#isPlain && tried === undefined) return this.#tiers.pick(call, undefined);
    return this.#sessions === undefined
      ? this.#pickWithCare(call, tried ?? NONE)
      : this.#pickForSession(call, this.#sessions, tried ?? NONE);
  }

  /** Lets the strategy learn how an attempt at `endpoint` ended. */
  observe(endpoint: Endpoint, outcome: Outcome, now: number): void {
    this.balance.strategy.learn?.(endpoint, outcome, now);
    this.#tiers.observe(endpoint, outcome);
  }

  /** Where the client of the call was before and stays, as its cookie says; changes nothing. */
  sessionOf(call: Invocation): Endpoint | undefined {
    const endpoint = this.#sessions?.find(call);
    return endpoint !== undefined && this.#gate.passes(endpoint) ? endpoint : undefined;
  }

  /** Whether calls go to the endpoint at present. */
  takes(endpoint: Endpoint): boolean {
    return this.#gate.passes(endpoint);
  }

  /**
   * Tiers with the share of all calls they get, and the probability of each of their endpoints within the tier (undefined when the strategy does not
   * say). Changes nothing but what the next pick would bring up to date.
   */
  describe(call: Invocation): ReturnType<TierSet['describe']> {
    this.#refresh();
    return this.#tiers.describe(call);
  }

  #pickForSession(call: Invocation, sessions: SessionCookie, tried: readonly Endpoint[]): Endpoint | undefined {
    const known = sessions.find(call);
    const stays = known !== undefined && this.#gate.passes(known) && !tried.includes(known);
    const endpoint = stays ? known : this.#pickWithCare(call, tried);
    if (endpoint !== undefined) sessions.keep(call, endpoint, endpoint !== known);
    return endpoint;
  }

  #pickWithCare(call: Invocation, tried: readonly Endpoint[]): Endpoint | undefined {
    const probe = this.#resting.probe(tried);
    if (probe !== undefined) return probe;
    let isTooCold = false;
    let turn = this.#isWarming ? MAX_TURNS : Math.min(2 * this.endpoints.length, MAX_TURNS);
    for (; turn > 0; turn--) {
      const endpoint = isTooCold ? this.#tiers.pickInstead(call, tried) : this.#tiers.pick(call, tried);
      if (endpoint === undefined) break;
      // One that was lost since the endpoints were sorted out is named until they are sorted out again.
      if (!this.#gate.passes(endpoint) || tried.includes(endpoint)) continue;
      if (!this.#isWarming || turn === 1 || this.#isWarmEnough(endpoint)) return endpoint;
      isTooCold = true;
    }
    return this.#anyLeft(tried);
  }

  /** An endpoint that warms up gets the part of its share by chance: each time it is named, it is taken with that probability. */
  #isWarmEnough(endpoint: Endpoint): boolean {
    const { slowStart } = this.balance;
    if (endpoint.warmingSince === 0 || slowStart === undefined) return true;
    const { clock, random } = this.owner.ports;
    const now = clock.now();
    const part = warmth(endpoint, now, slowStart);
    if (part >= 1) {
      endpoint.warmingSince = 0;
      this.#watchWarming();
      return true;
    }
    // Where all are new, the warmest of them counts as warm: somebody must take the calls.
    return random.next() * this.#tiers.warmest(now, slowStart) < part;
  }

  /** Whatever was not tried, from a random place on: fit ones first, else the one whose rest ends first. */
  #anyLeft(tried: readonly Endpoint[]): Endpoint | undefined {
    const { length } = this.endpoints;
    const start = Math.floor(this.owner.ports.random.next() * length);
    let best: Endpoint | undefined;
    for (let step = 0; step < length; step++) {
      const endpoint = this.endpoints[(start + step) % length] as Endpoint;
      if (tried.includes(endpoint)) continue;
      if (this.#gate.passes(endpoint) && endpoint.restingUntil === 0) return endpoint;
      if (best === undefined || endpoint.restingUntil < best.restingUntil) best = endpoint;
    }
    return best;
  }

  /** Sorts the endpoints out again if something changed, and if it is time. */
  #refresh(): void {
    const { availability, ports } = this.owner;
    if (availability.version === this.#seen) return;
    const now = ports.clock.now();
    if (now < this.#sortAt) {
      this.#isPlain = false;
      return;
    }
    this.#seen = availability.version;
    const { length } = this.endpoints;
    this.#sortAt = length <= FEW_ENDPOINTS ? now : now + length * SORT_EVERY_MS_PER_ENDPOINT;
    this.#sortOut(now);
  }

  #sortOut(now: number): void {
    const { slowStart, strategy } = this.balance;
    this.#resting.collect(this.endpoints);
    for (const endpoint of this.endpoints) {
      if (!endpoint.wasOut || endpoint.isOut) continue;
      endpoint.wasOut = false;
      if (slowStart !== undefined && strategy.warmsUp) endpoint.warmingSince = now;
    }
    this.#gate.mode = this.#tiers.modeNow();
    this.#tiers.rebuild();
    this.#watchWarming();
    this.#report();
  }

  #watchWarming(): void {
    const { slowStart, strategy } = this.balance;
    this.#isWarming =
      slowStart !== undefined && strategy.warmsUp && this.endpoints.some(({ warmingSince }) => warmingSince !== 0);
    this.#isPlain = this.#sessions === undefined && this.#resting.isEmpty && !this.#isWarming;
  }

  /** It is a panic only when somebody gets calls who would not otherwise: not when the only instance refuses connections. */
  #report(): void {
    const panics = this.#gate.mode !== 'fit' && this.endpoints.some(({ barred }) => barred !== 0);
    const { panicking, reports, service, set } = this.owner;
    if (panics === panicking.has(set)) return;
    const fit = this.endpoints.reduce((count, endpoint) => (endpoint.isOut ? count : count + 1), 0);
    if (panics) {
      panicking.add(set);
      reports.panicBegan(service, set, fit, this.endpoints.length);
    } else {
      panicking.delete(set);
      reports.panicEnded(service, set, fit, this.endpoints.length);
    }
  }
}

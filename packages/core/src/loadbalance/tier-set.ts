import type { Invocation, Outcome } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { Balance } from './balancing.js';
import type { Gate, GateMode } from './gate.js';
import type { LoadBalancer } from './load-balancer.js';
import { warmth, type SlowStart } from './slow-start.js';
import { sharesOf, tiersOf, type Tier } from './tiers.js';

interface LiveTier extends Tier {
  /** Those that take calls; the balancer is made of them, unless it passes over others itself. */
  taking: readonly Endpoint[];
  balancer: LoadBalancer;
  /** Gets what endpoints leave that warm up; made when one does. */
  leftTo: LoadBalancer | undefined;
  /** Part of all calls that goes here or to a tier before. */
  upTo: number;
}

/** What people see of a tier. */
export interface TierView {
  /** Empty when there is one tier only. */
  readonly name: string;
  /** Part of all calls, 0..1. */
  readonly share: number;
  /** All of it, those included that take no calls. */
  readonly endpoints: readonly Endpoint[];
  /** Probabilities within the tier by endpoint; undefined when the strategy does not say. */
  readonly picks: ReadonlyMap<Endpoint, number> | undefined;
}

/** Endpoints in tiers by priority and nearness, each with a balancer and a share of the calls that follows from how many of it take calls. */
export class TierSet {
  readonly #tiers: readonly LiveTier[];
  readonly #only: LiveTier | undefined;
  /** When the longest warm-up of those that take calls began; 0 when one of them is warm. */
  #warmestSince = 0;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    private readonly balance: Balance,
    private readonly ports: Ports,
    private readonly gate: Gate,
  ) {
    const tiers = tiersOf(endpoints, balance.near);
    this.#tiers = (tiers.length === 0 ? [{ name: '', endpoints }] : tiers).map((tier) => ({
      ...tier,
      taking: tier.endpoints,
      balancer: balance.strategy.factory(tier.endpoints, ports, gate),
      leftTo: undefined,
      upTo: 1,
    }));
    this.#only = this.#tiers.length === 1 ? this.#tiers[0] : undefined;
  }

  pick(call: Invocation, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    return (this.#only ?? this.#tierFor(call, tried)).balancer.pick(call, tried);
  }

  /** Another choice for a call, after the one that was made was not taken because it warms up. */
  pickInstead(call: Invocation, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const tier = this.#only ?? this.#tierFor(call, tried);
    const { leftTo } = this.balance.strategy;
    if (leftTo === undefined) return tier.balancer.pick(call, tried);
    tier.leftTo ??= leftTo(tier.taking, this.ports, this.gate);
    return tier.leftTo.pick(call, tried);
  }

  observe(endpoint: Endpoint, outcome: Outcome): void {
    for (const { balancer } of this.#tiers) balancer.observe?.(endpoint, outcome);
  }

  /** Who is let through, as things stand: see {@link GateMode}. */
  modeNow(): GateMode {
    const { endpoints } = this;
    const fit = this.#tiers.map((tier) => count(tier.endpoints, (endpoint) => !endpoint.isOut));
    const total = fit.reduce((sum, one) => sum + one, 0);
    const { borne } = sharesOf(fit, this.#sizes(), this.balance.overprovisioning);
    // While the tiers together bear all calls, somewhere else is somebody fit.
    const isEnough = borne >= 1 || (total > 0 && total >= this.balance.panicThreshold * endpoints.length);
    if (isEnough || endpoints.length === 0) return 'fit';
    const reachable = endpoints.some((endpoint) => endpoint.restingUntil === 0);
    if (!reachable) return 'all';
    return total === 0 || this.balance.panicThreshold > 0 ? 'panic' : 'fit';
  }

  /** Makes balancers of those that the gate lets through, where that changed, and shares of the tiers. */
  rebuild(): void {
    const { factory, passesOver } = this.balance.strategy;
    for (const tier of this.#tiers) {
      const taking = tier.endpoints.filter((endpoint) => this.gate.passes(endpoint));
      if (!passesOver && !areAlike(taking, tier.taking)) {
        tier.balancer = factory(taking, this.ports, this.gate);
        tier.leftTo = undefined;
      }
      tier.taking = taking;
    }
    const taking = this.#tiers.map((tier) => tier.taking.length);
    const { shares } = sharesOf(taking, this.#sizes(), this.balance.overprovisioning);
    let sum = 0;
    this.#tiers.forEach((tier, index) => (tier.upTo = sum += shares[index] as number));
    this.#watchWarmest();
  }

  /** How warm the warmest of those that take calls is. */
  warmest(now: number, slowStart: SlowStart): number {
    return this.#warmestSince === 0 ? 1 : warmth({ warmingSince: this.#warmestSince }, now, slowStart);
  }

  describe(call: Invocation): readonly TierView[] {
    let before = 0;
    return this.#tiers.map(({ name, balancer, taking, endpoints, upTo }) => {
      const shares = balancer.shares?.(call);
      const of = this.balance.strategy.passesOver ? endpoints : taking;
      const share = Math.max(upTo - before, 0);
      before = upTo;
      const picks = shares && new Map(of.map((endpoint, index) => [endpoint, shares[index] ?? 0]));
      return { name, share, endpoints, picks };
    });
  }

  #tierFor(call: Invocation, tried: readonly Endpoint[] | undefined): LiveTier {
    const place = this.balance.strategy.place?.(call) ?? this.ports.random.next();
    let chosen = this.#tiers[0] as LiveTier;
    for (const tier of this.#tiers) {
      // A tier of which all were tried is of no use.
      if (tier.taking.length === 0 || (tried !== undefined && tier.taking.every((one) => tried.includes(one))))
        continue;
      chosen = tier;
      if (place < tier.upTo) break;
    }
    return chosen;
  }

  #sizes(): number[] {
    return this.#tiers.map(({ endpoints }) => endpoints.length);
  }

  #watchWarmest(): void {
    let longest = Infinity;
    for (const { taking } of this.#tiers) {
      for (const { warmingSince } of taking) longest = Math.min(longest, warmingSince);
    }
    this.#warmestSince = longest === Infinity ? 0 : longest;
  }
}

function count(endpoints: readonly Endpoint[], holds: (endpoint: Endpoint) => boolean): number {
  return endpoints.reduce((sum, endpoint) => (holds(endpoint) ? sum + 1 : sum), 0);
}

function areAlike(one: readonly Endpoint[], other: readonly Endpoint[]): boolean {
  return one.length === other.length && one.every((endpoint, index) => endpoint === other[index]);
}

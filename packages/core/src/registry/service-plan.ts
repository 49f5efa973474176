import type { Explanation } from '../explain/explanation.js';
import type { CallProtocol, Invocation, Outcome } from '../invocation.js';
import { resultOf } from '../loadbalance/attempt-result.js';
import type { Balance, Balancing } from '../loadbalance/balancing.js';
import { OutlierDetector, type OutlierRules } from '../loadbalance/outlier.js';
import type { Ports } from '../ports/ports.js';
import type { Subset } from '../routing/subset.js';
import { atOnce, ITEMS_PER_SLICE, type Steps } from '../slices/slices.js';
import { Availability } from './availability.js';
import { Candidates } from './candidates.js';
import type { ServiceSnapshot } from './contracts.js';
import { Endpoint } from './endpoint.js';
import { explainBalancing } from './explain-balancing.js';
import type { Instance } from './instance.js';
import { chooseAddress, spokenAt, whyLeftOut, type ChosenAddress } from './instance-choice.js';
import { endpointKey, SeenAddresses } from './seen-addresses.js';

/** Parts of a service that are kept compiled: more than any set of rules has; one beyond them is compiled again when it is asked for. */
const MAX_SUBSETS = 256;

type CompiledSets = Map<Subset | undefined, Map<CallProtocol, Candidates>>;

/**
 * All that is decided about a service ahead of its calls. The object stays the same while the service is watched; a new
 * snapshot replaces what is in it, and the next call reads that.
 */
export class ServicePlan {
  /** `pending`: the registry has not answered; `absent`: it knows no such service. */
  state: 'pending' | 'known' | 'absent' = 'pending';
  snapshot: ServiceSnapshot | undefined;
  /** Monotonic milliseconds of the last snapshot. */
  updatedAt = 0;
  /** Monotonic milliseconds at which the last call began or ended. */
  lastUsedAt = 0;
  /** Calls under way, those that wait for the first snapshot included; a plan in use is not given up. */
  calls = 0;
  /** Slot of the metrics series of outbound calls; -1 until the first one. */
  metricsSlot = -1;
  /** Counts when one of its endpoints comes or goes. */
  readonly availability: Availability = new Availability();
  #candidates: CompiledSets = new Map();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #panicking = new Set<string>();
  readonly #addresses = new SeenAddresses();
  #balance: Balance;
  #generation: number;
  /** Made by the first attempt that ends: a plan that nobody calls needs no timer. */
  #outliers: OutlierDetector | undefined;

  constructor(
    readonly service: string,
    private readonly ports: Ports,
    private readonly balancing: Balancing,
    private readonly onRetired: (endpoint: Endpoint) => void,
  ) {
    this.#generation = balancing.generation;
    this.#balance = balancing.of(service);
  }

  /** How the service is balanced. */
  get balance(): Balance {
    if (this.balancing.generation !== this.#generation) this.#takeOver();
    return this.#balance;
  }

  /** All endpoints that were made so far. */
  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** True while for some of its calls ejections and breakers are ignored, because too few endpoints are fit. */
  get isPanicking(): boolean {
    for (const byProtocol of this.#candidates.values()) {
      for (const candidates of byProtocol.values()) if (candidates.isPanicking) return true;
    }
    return false;
  }

  /** The endpoints that take calls of the protocol, out of a part of the instances or all of them. */
  candidates(protocol: CallProtocol, subset?: Subset): Candidates {
    if (this.balancing.generation !== this.#generation) this.#takeOver();
    let byProtocol = this.#candidates.get(subset);
    if (byProtocol === undefined) {
      this.#forgetOldest();
      this.#candidates.set(subset, (byProtocol = new Map<CallProtocol, Candidates>()));
    }
    let candidates = byProtocol.get(protocol);
    if (candidates === undefined) {
      candidates = this.#compile(protocol, subset);
      byProtocol.set(protocol, candidates);
    }
    return candidates;
  }

  /**
   * The next endpoint for the call; one that rests after failed connects is passed over while there is another.
   * @param tried endpoints that are not to be named again
   * @returns undefined when there are none, or all were tried
   */
  pick(call: Invocation, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const { shunned } = call;
    const avoided = shunned === undefined ? tried : [...shunned, ...(tried ?? [])];
    return this.candidates(call.protocol, call.subset).pick(call, avoided);
  }

  /** Tells where {@link pick} would send the call, with which probability, and why not elsewhere. Changes nothing. */
  explain(call: Invocation, into: Explanation): void {
    const candidates = this.candidates(call.protocol, call.subset);
    const instances = this.snapshot?.instances ?? [];
    const selected = new Set(call.subset?.select(instances) ?? instances);
    const leftOut = instances.flatMap((instance) => {
      const reason = selected.has(instance) ? whyLeftOut(instance, call.protocol) : ('subset' as const);
      return reason === undefined ? [] : [{ instance, reason }];
    });
    explainBalancing({ service: this.service, candidates, leftOut, now: this.ports.clock.now() }, call, into);
  }

  /** An attempt at `endpoint` begins. Whoever says so also calls {@link observe}, once, when the attempt has ended. */
  started(endpoint: Endpoint): void {
    endpoint.inFlight++;
  }

  /**
   * An attempt at `endpoint` has ended: exactly once for each {@link started}.
   * @param outcome that of the attempt, not of the call; `aborted` also for one that was given up in favour of another
   */
  observe(call: Invocation, endpoint: Endpoint, outcome: Outcome): void {
    if (endpoint.inFlight > 0) endpoint.inFlight--;
    const result = resultOf(outcome);
    if (result === 'nothing' && !outcome.aborted) return;
    if (result !== 'nothing') endpoint.failuresInARow = result === 'success' ? 0 : endpoint.failuresInARow + 1;
    const { strategy, outlier } = this.#balance;
    // How long a connection lasts says nothing about who is behind it.
    const listens = strategy.listens && call.protocol !== 'tcp';
    if (!listens && outlier === undefined) return;
    const now = this.ports.clock.now();
    if (listens) this.#candidates.get(call.subset)?.get(call.protocol)?.observe(endpoint, outcome, now);
    if (outlier !== undefined) (this.#outliers ?? this.#detect(outlier, now)).observe(endpoint, outcome, now);
  }

  /** Takes a new snapshot; endpoints that stay keep their identity. */
  apply(snapshot: ServiceSnapshot, now: number): void {
    atOnce(this.applying(snapshot, now));
  }

  /**
   * The same in steps of some milliseconds: with ten thousand instances, it takes some ten. Calls see the old snapshot until the last
   * step; not to be begun again before it has ended.
   */
  *applying(snapshot: ServiceSnapshot, now: number): Steps<void> {
    const isNews = this.snapshot?.revision !== snapshot.revision || this.snapshot.exists !== snapshot.exists;
    const balance = this.#balance;
    const gone = isNews ? yield* this.#addresses.update(snapshot.instances, now) : [];
    const isLarge = snapshot.instances.length > ITEMS_PER_SLICE;
    const ahead: CompiledSets = isNews && isLarge ? yield* this.#compileAhead(snapshot.instances) : new Map();
    this.updatedAt = now;
    this.state = snapshot.exists ? 'known' : 'absent';
    if (!isNews) return;
    this.snapshot = snapshot;
    this.#candidates = balance === this.#balance ? ahead : new Map();
    for (const key of gone) this.#retire(key);
  }

  /** Gives up all endpoints, because nobody calls the service any more. */
  retireAll(): void {
    for (const key of this.#endpoints.keys()) this.#retire(key);
    this.#candidates.clear();
    this.#stopDetecting();
  }

  /** Rules that change again and again leave parts behind that nobody asks for any more. */
  #forgetOldest(): void {
    if (this.#candidates.size < MAX_SUBSETS) return;
    for (const subset of this.#candidates.keys()) {
      this.#candidates.delete(subset);
      return;
    }
  }

  /** Takes over the rules in effect; what is known of endpoints stays. */
  #takeOver(): void {
    this.#generation = this.balancing.generation;
    const before = this.#balance;
    const balance = this.balancing.of(this.service);
    if (balance.fingerprint === before.fingerprint) return;
    this.#balance = balance;
    this.#candidates.clear();
    if (this.#outliers === undefined || JSON.stringify(balance.outlier) === JSON.stringify(before.outlier)) return;
    if (balance.outlier === undefined) this.#outliers.releaseAll();
    this.#stopDetecting();
    // At once: who is ejected must return even if no attempt ends any more.
    if (balance.outlier !== undefined) this.#detect(balance.outlier, this.ports.clock.now());
  }

  #detect(rules: OutlierRules, now: number): OutlierDetector {
    const detector = new OutlierDetector(this.service, rules, () => this.#endpoints, this.balancing.reports, now);
    this.balancing.sweeper.add(detector);
    this.#outliers = detector;
    return detector;
  }

  #stopDetecting(): void {
    if (this.#outliers !== undefined) this.balancing.sweeper.remove(this.#outliers);
    this.#outliers = undefined;
  }

  /** Where compiling takes time no call should wait for it: the sets that calls use, of the first snapshot the one that they will. */
  *#compileAhead(instances: readonly Instance[]): Steps<CompiledSets> {
    const sets: CompiledSets = new Map();
    const wanted = [...this.#candidates].flatMap(([subset, byProtocol]) =>
      Array.from(byProtocol, ([protocol, candidates]) => ({ subset, protocol, candidates })),
    );
    for (const { subset, protocol, candidates } of wanted) {
      // A part that no rule asks for any more must not be compiled for ever.
      if (subset !== undefined && !candidates.wasAsked) continue;
      yield;
      const byProtocol = sets.get(subset) ?? new Map<CallProtocol, Candidates>();
      byProtocol.set(protocol, yield* this.#compiling(protocol, subset, instances));
      sets.set(subset, byProtocol);
    }
    if (wanted.length > 0) return sets;
    yield;
    const usual = usualProtocol(instances[0]);
    return sets.set(undefined, new Map([[usual, yield* this.#compiling(usual, undefined, instances)]]));
  }

  #compile(protocol: CallProtocol, subset: Subset | undefined): Candidates {
    return atOnce(this.#compiling(protocol, subset, this.snapshot?.instances ?? []));
  }

  *#compiling(protocol: CallProtocol, subset: Subset | undefined, instances: readonly Instance[]): Steps<Candidates> {
    const endpoints = new Set<Endpoint>();
    let inSlice = 0;
    for (const instance of subset?.select(instances) ?? instances) {
      if (inSlice++ === ITEMS_PER_SLICE) {
        inSlice = 1;
        yield;
      }
      const address = chooseAddress(instance, protocol);
      if (typeof address === 'string') continue;
      const endpoint = this.#endpoint(address);
      // Two registrations of one address (a restart, a hand-written line beside a registered one) are one endpoint; the first counts.
      if (endpoints.has(endpoint)) continue;
      endpoint.instance = instance;
      endpoint.weight = instance.weight;
      endpoints.add(endpoint);
    }
    return new Candidates([...endpoints], this.#balance, {
      service: this.service,
      set: subset === undefined ? protocol : `${protocol} ${subset.name}`,
      ports: this.ports,
      availability: this.availability,
      reports: this.balancing.reports,
      panicking: this.#panicking,
    });
  }

  #endpoint(address: ChosenAddress): Endpoint {
    const key = endpointKey(address, address.speaks);
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = new Endpoint(address.host, address.port, undefined, 1, this.availability, address.speaks);
      endpoint.warmingSince = this.#addresses.since(key);
      this.#endpoints.set(key, endpoint);
    }
    return endpoint;
  }

  #retire(key: string): void {
    const endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) return;
    this.#endpoints.delete(key);
    endpoint.retired = true;
    this.#outliers?.forget(endpoint);
    this.onRetired(endpoint);
  }
}

/** As which most calls will come, going by what one instance says of itself. */
function usualProtocol(instance: Instance | undefined): CallProtocol {
  if (instance === undefined || instance.addresses.size === 0) return 'http';
  return [...instance.addresses.keys()].every((name) => spokenAt(name) === 'http2') ? 'grpc' : 'http';
}

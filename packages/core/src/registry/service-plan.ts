import type { CallProtocol, CallView, Outcome } from '../invocation.js';
import type { BalancerFactory, LoadBalancer } from '../loadbalance/load-balancer.js';
import type { Ports } from '../ports/ports.js';
import type { ServiceSnapshot } from './contracts.js';
import { Endpoint } from './endpoint.js';
import type { Instance, InstanceAddress } from './instance.js';

/**
 * Names of addresses that serve a protocol, best first. `rest` is what go-chassis calls HTTP; `*` is an address of which nothing
 * is known but that it is there.
 */
const ADDRESS_NAMES: Readonly<Record<CallProtocol, readonly string[]>> = {
  http: ['rest', 'http', '*'],
  grpc: ['grpc', '*'],
  tcp: ['tcp', '*', 'rest', 'http', 'grpc'],
};

/** The endpoints of a service for one protocol, with the balancer over them. */
export interface Candidates {
  readonly endpoints: readonly Endpoint[];
  readonly balancer: LoadBalancer;
}

/** Why an instance is not among the candidates. */
export type LeftOut = 'status' | 'weight' | 'protocol';

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
  /** Monotonic milliseconds of the last call. */
  lastUsedAt = 0;
  /** Slot of the metrics series of outbound calls; -1 until the first one. */
  metricsSlot = -1;
  readonly #candidates = new Map<CallProtocol, Candidates>();
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(
    readonly service: string,
    private readonly ports: Ports,
    private readonly balancer: BalancerFactory,
    private readonly onRetired: (endpoint: Endpoint) => void,
  ) {}

  candidates(protocol: CallProtocol): Candidates {
    const known = this.#candidates.get(protocol);
    if (known !== undefined) return known;
    const endpoints: Endpoint[] = [];
    const seen = new Set<Endpoint>();
    for (const instance of this.snapshot?.instances ?? []) {
      if (whyLeftOut(instance, protocol) !== undefined) continue;
      const endpoint = this.#endpoint(instance, addressFor(instance, protocol) as InstanceAddress);
      // Two registrations of one address (a restart, a hand-written line beside a registered one) are one endpoint.
      if (seen.has(endpoint)) continue;
      seen.add(endpoint);
      endpoints.push(endpoint);
    }
    const candidates: Candidates = { endpoints, balancer: this.balancer(endpoints, this.ports) };
    this.#candidates.set(protocol, candidates);
    return candidates;
  }

  /** The next endpoint for the call; one that rests after failed connects is passed over while there is another. */
  pick(call: CallView, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const { endpoints, balancer } = this.candidates(call.protocol);
    const first = balancer.pick(call);
    if (first === undefined || endpoints.length === 1) return first;
    if (first.restingUntil === 0 && tried === undefined) return first;
    const now = this.ports.clock.now();
    let endpoint: Endpoint | undefined = first;
    let fallback: Endpoint | undefined;
    // Twice the number of endpoints: a weighted balancer may name the same one several times in a row.
    for (let turn = 2 * endpoints.length; turn > 0 && endpoint !== undefined; turn--) {
      const fresh = tried === undefined || !tried.includes(endpoint);
      if (fresh && endpoint.restingUntil <= now) return endpoint;
      if (fresh) fallback ??= endpoint;
      endpoint = balancer.pick(call);
    }
    return fallback ?? first;
  }

  /** Tells the balancer how a call to `endpoint` ended. */
  observe(call: CallView, endpoint: Endpoint, outcome: Outcome): void {
    this.#candidates.get(call.protocol)?.balancer.observe?.(endpoint, outcome);
  }

  /** Takes a new snapshot; endpoints that stay keep their identity. */
  apply(snapshot: ServiceSnapshot, now: number): void {
    this.updatedAt = now;
    this.state = snapshot.exists ? 'known' : 'absent';
    if (this.snapshot?.revision === snapshot.revision && this.snapshot.exists === snapshot.exists) return;
    this.snapshot = snapshot;
    this.#candidates.clear();
    const present = new Set<string>();
    for (const instance of snapshot.instances) {
      for (const address of instance.addresses.values()) present.add(keyOf(address));
    }
    for (const [key, endpoint] of this.#endpoints) {
      if (present.has(key)) continue;
      this.#endpoints.delete(key);
      endpoint.retired = true;
      this.onRetired(endpoint);
    }
  }

  /** Gives up all endpoints, because nobody calls the service any more. */
  retireAll(): void {
    for (const endpoint of this.#endpoints.values()) {
      endpoint.retired = true;
      this.onRetired(endpoint);
    }
    this.#endpoints.clear();
    this.#candidates.clear();
  }

  #endpoint(instance: Instance, address: InstanceAddress): Endpoint {
    const key = keyOf(address);
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = new Endpoint(address.host, address.port, instance, instance.weight);
      this.#endpoints.set(key, endpoint);
    } else {
      endpoint.instance = instance;
      endpoint.weight = instance.weight;
    }
    return endpoint;
  }
}

/** Undefined when the instance takes calls of the protocol. */
export function whyLeftOut(instance: Instance, protocol: CallProtocol): LeftOut | undefined {
  if (instance.status !== 'UP' && instance.status !== 'TESTING') return 'status';
  if (instance.weight <= 0) return 'weight';
  return addressFor(instance, protocol) === undefined ? 'protocol' : undefined;
}

function addressFor(instance: Instance, protocol: CallProtocol): InstanceAddress | undefined {
  for (const name of ADDRESS_NAMES[protocol]) {
    const address = instance.addresses.get(name);
    if (address !== undefined) return address;
  }
  return undefined;
}

function keyOf(address: InstanceAddress): string {
  return `${address.host}|${address.port}`;
}

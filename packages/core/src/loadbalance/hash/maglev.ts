import type { Invocation } from '../../invocation.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { Gate } from '../gate.js';
import type { BalancerFactory, LoadBalancer } from '../load-balancer.js';
import type { HashKey } from './hash-key.js';
import { avalanche, murmur3Text } from './murmur3.js';

/**
 * Slots of the table, a prime. The same for every number of endpoints, since another size moves all keys; the paper's own size. With
 * 10,000 endpoints each still has 6 or 7 slots.
 */
export const TABLE_SLOTS = 65_537;

/** A lighter endpoint counts as one of this part of the heaviest at least: filling takes the longer the lighter the others are. */
const LEAST_SHARE = 0.01;

/** Seed of the step with which an endpoint walks through the table. */
const STEP_SEED = 0x9747b28c;

/** Places that are looked at for an endpoint that takes calls, before the table is searched from the last of them on. */
const MAX_PROBES = 32;

/** 2^32 divided by the golden ratio: spreads consecutive numbers over all bits. */
const GOLDEN = 0x9e3779b9;

/**
 * Maglev hashing (D. Eisenbud and others, NSDI 2016, 3.4): a key is a slot of a table in which all endpoints took turns to fill slots, each in
 * an order of its own. Shares are even to within one slot; when an endpoint leaves, few keys of others move. When it only takes no calls for
 * a while, no other key moves, since the table stays. All sidecars have the same table.
 */
class Maglev implements LoadBalancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #table: Uint16Array | Uint32Array;

  constructor(
    private readonly set: readonly Endpoint[],
    private readonly key: HashKey,
    private readonly gate: Gate,
  ) {
    // The order of filling must not depend on the order in which a registry lists them.
    this.#endpoints = [...set].sort((a, b) => (a.key < b.key ? -1 : 1));
    this.#table = fill(this.#endpoints);
  }

  pick(call: Invocation, tried?: readonly Endpoint[]): Endpoint | undefined {
    return this.set.length === 0 ? undefined : this.#at(this.key.of(call), tried);
  }

  shares(call: Invocation): readonly number[] {
    const text = this.key.text(call);
    if (text !== undefined) {
      const target = this.#at(murmur3Text(text), undefined);
      return this.set.map((endpoint) => (endpoint === target ? 1 : 0));
    }
    const slots = new Map<Endpoint, number>();
    let total = 0;
    for (const index of this.#table) {
      const endpoint = this.#endpoints[index] as Endpoint;
      if (!this.gate.passes(endpoint)) continue;
      slots.set(endpoint, (slots.get(endpoint) ?? 0) + 1);
      total++;
    }
    return this.set.map((endpoint) => (slots.get(endpoint) ?? 0) / Math.max(total, 1));
  }

  #at(hash: number, tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const { length } = this.#table;
    let at = avalanche(hash) % length;
    const first = this.#endpoints[this.#table[at] as number];
    // Keys of an endpoint that takes no calls spread over all others, by a walk that is the same for a key every time.
    for (let probe = 1; probe <= MAX_PROBES; probe++) {
      const endpoint = this.#endpoints[this.#table[at] as number] as Endpoint;
      if (this.gate.passes(endpoint) && tried?.includes(endpoint) !== true) return endpoint;
      at = avalanche(hash + Math.imul(probe, GOLDEN)) % length;
    }
    // From there on, and not from the beginning: all such keys would go to the first endpoint of the table.
    for (let step = 0; step < length; step++) {
      const endpoint = this.#endpoints[this.#table[(at + step) % length] as number] as Endpoint;
      if (this.gate.passes(endpoint) && tried?.includes(endpoint) !== true) return endpoint;
    }
    return first;
  }
}

function fill(endpoints: readonly Endpoint[]): Uint16Array | Uint32Array {
  const count = endpoints.length;
  const empty = count < 0xffff ? 0xffff : 0xffffffff;
  const table = (empty === 0xffff ? new Uint16Array(TABLE_SLOTS) : new Uint32Array(TABLE_SLOTS)).fill(empty);
  if (count === 0) return table;
  const heaviest = endpoints.reduce((most, { weight }) => Math.max(most, weight), 0);
  const at = Uint32Array.from(endpoints, ({ key }) => murmur3Text(key) % TABLE_SLOTS);
  const step = Uint32Array.from(endpoints, ({ key }) => 1 + (murmur3Text(key, STEP_SEED) % (TABLE_SLOTS - 1)));
  const earned = new Float64Array(count);
  const share = Float64Array.from(endpoints, ({ weight }) => Math.max(weight / heaviest, LEAST_SHARE));
  for (let filled = 0; filled < TABLE_SLOTS;) {
    for (let index = 0; index < count && filled < TABLE_SLOTS; index++) {
      // A lighter endpoint takes its turn only as often as its weight says.
      if ((earned[index]! += share[index] as number) < 1) continue;
      earned[index]! -= 1;
      let slot = at[index] as number;
      while (table[slot] !== empty) slot = (slot + (step[index] as number)) % TABLE_SLOTS;
      table[slot] = index;
      at[index] = (slot + (step[index] as number)) % TABLE_SLOTS;
      filled++;
    }
  }
  return table;
}

export function maglev(key: HashKey): BalancerFactory {
  return (endpoints, _ports, gate = new Gate()) => new Maglev(endpoints, key, gate);
}

import type { Invocation } from '../../invocation.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { Gate } from '../gate.js';
import type { BalancerFactory, LoadBalancer } from '../load-balancer.js';
import type { HashKey } from './hash-key.js';
import { avalanche, murmur3Text } from './murmur3.js';

/** Points of the heaviest endpoint while there are few: shares then differ by some 6 % (1 / sqrt of the points). */
const MOST_POINTS = 256;

/**
 * Points of all endpoints together that are aimed at: sorting that many takes about 10 ms. With more endpoints each has half as many
 * points, and half again; only then do keys move that have nothing to do with what came or went.
 */
const POINTS_IN_ALL = 131_072;

/** Second hash of an endpoint, so that two with the same first one do not share all their points. */
const STRIDE_SEED = 0x9747b28c;

/** Positions are 32 bits and stand in the upper bits of a number that is exact up to 2^53; the index of the endpoint below. */
const INDEX_SPAN = 2 ** 21;
const TWO_32 = 2 ** 32;

/**
 * Consistent hashing on a ring (D. Karger and others, 1997): each endpoint has points on it, and a key belongs to the next point. When
 * an endpoint leaves or takes no calls, exactly its keys go to others. All sidecars have the same ring.
 */
class RingHash implements LoadBalancer {
  readonly #positions: Uint32Array;
  readonly #owners: Uint32Array;

  constructor(
    private readonly endpoints: readonly Endpoint[],
    private readonly key: HashKey,
    private readonly gate: Gate,
  ) {
    const points = pointsOf(endpoints);
    this.#positions = new Uint32Array(points.length);
    this.#owners = new Uint32Array(points.length);
    for (let at = 0; at < points.length; at++) {
      const position = Math.floor((points[at] as number) / INDEX_SPAN);
      this.#positions[at] = position;
      this.#owners[at] = (points[at] as number) - position * INDEX_SPAN;
    }
  }

  pick(call: Invocation, tried?: readonly Endpoint[]): Endpoint | undefined {
    return this.endpoints.length === 0 ? undefined : this.endpoints[this.#from(this.#next(this.key.of(call)), tried)];
  }

  shares(call: Invocation): readonly number[] {
    const text = this.key.text(call);
    if (text !== undefined) {
      const target = this.#from(this.#next(murmur3Text(text)), undefined);
      return this.endpoints.map((_, index) => (index === target ? 1 : 0));
    }
    const shares = new Array<number>(this.endpoints.length).fill(0);
    const last = this.#positions.length - 1;
    this.#owners.forEach((_, at) => {
      const length = at === 0 ? this.#at(0) + TWO_32 - this.#at(last) : this.#at(at) - this.#at(at - 1);
      const owner = this.#from(at, undefined);
      shares[owner] = (shares[owner] ?? 0) + length / TWO_32;
    });
    return shares;
  }

  /** The first point at or behind the hash. */
  #next(hash: number): number {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle) < hash) low = middle + 1;
      else high = middle;
    }
    return low === this.#positions.length ? 0 : low;
  }

  #at(point: number): number {
    return this.#positions[point] as number;
  }

  /** Along the ring to (the index of) an endpoint that takes calls; when there is none, that of the point. */
  #from(point: number, tried: readonly Endpoint[] | undefined): number {
    const { length } = this.#owners;
    for (let step = 0, at = point; step < length; step++) {
      const index = this.#owners[at] as number;
      const endpoint = this.endpoints[index] as Endpoint;
      if (this.gate.passes(endpoint) && tried?.includes(endpoint) !== true) return index;
      at = at + 1 === length ? 0 : at + 1;
    }
    return this.#owners[point] as number;
  }
}

/** The points of all endpoints, sorted: position times {@link INDEX_SPAN}, plus the index of the endpoint. */
function pointsOf(endpoints: readonly Endpoint[]): Float64Array {
  const heaviest = endpoints.reduce((most, { weight }) => Math.max(most, weight), 0);
  let most = MOST_POINTS;
  while (most > 1 && most * endpoints.length > POINTS_IN_ALL) most /= 2;
  // The division first: the product of a huge weight is infinite.
  const counts = endpoints.map(({ weight }) => Math.max(1, Math.round(most * (weight / heaviest))));
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (let index = 0; index < endpoints.length; index++) {
    const { key } = endpoints[index] as Endpoint;
    const start = murmur3Text(key);
    const stride = murmur3Text(key, STRIDE_SEED) | 1;
    for (let point = counts[index] as number; point > 0; point--) {
      points[at++] = avalanche(start + Math.imul(point, stride)) * INDEX_SPAN + index;
    }
  }
  return points.sort();
}

export function ringHash(key: HashKey): BalancerFactory {
  return (endpoints, _ports, gate = new Gate()) => new RingHash(endpoints, key, gate);
}

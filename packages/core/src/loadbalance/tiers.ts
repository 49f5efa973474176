import type { Endpoint } from '../registry/endpoint.js';
import { placeOf, type Place } from './place.js';

/** Endpoints that get calls before others do: of one priority, and alike near. */
export interface Tier {
  /** For people: `priority 1, same zone`. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

/** Metadata of an instance that says its priority: 0, the default, gets calls first. */
const PRIORITY = 'priority';

const NEARNESS = ['same zone', 'same region', 'elsewhere'] as const;

/**
 * Sorts endpoints into tiers, first ones first.
 * @param own where this process runs, when that matters
 */
export function tiersOf(endpoints: readonly Endpoint[], own: Place | undefined): readonly Tier[] {
  const byRank = new Map<number, Endpoint[]>();
  for (const endpoint of endpoints) {
    const rank = priorityOf(endpoint) * NEARNESS.length + distance(endpoint, own);
    const tier = byRank.get(rank);
    if (tier === undefined) byRank.set(rank, [endpoint]);
    else tier.push(endpoint);
  }
  const ranks = [...byRank.keys()].sort((a, b) => a - b);
  const isOne = ranks.every((rank) => rank < NEARNESS.length);
  return ranks.map((rank) => {
    const nearness = own === undefined ? '' : (NEARNESS[rank % NEARNESS.length] as string);
    const priority = isOne ? '' : `priority ${Math.floor(rank / NEARNESS.length)}`;
    return {
      name: [priority, nearness].filter((part) => part !== '').join(', '),
      endpoints: byRank.get(rank) as readonly Endpoint[],
    };
  });
}

/**
 * Shares of all calls that the tiers get: each bears `overprovisioning` times the part of its endpoints that takes calls, but no more than is left
 * by those before it. What nobody bears is spread in the same proportion.
 * @param fit how many endpoints of each tier take calls
 * @param all how many there are
 * @param overprovisioning 1 or more
 * @returns shares that add up to 1, and `borne`, the part that the tiers bear without being overloaded; all 0 when no endpoint takes calls
 */
export function sharesOf(
  fit: readonly number[],
  all: readonly number[],
  overprovisioning: number,
): { readonly shares: readonly number[]; readonly borne: number } {
  let left = 1;
  const loads = fit.map((count, tier) => {
    const load = Math.min(left, (overprovisioning * count) / (all[tier] as number));
    left -= load;
    return load;
  });
  const borne = 1 - left;
  return { shares: borne === 0 ? loads : loads.map((load) => load / borne), borne };
}

function priorityOf({ instance }: Endpoint): number {
  const priority = Number(instance?.metadata[PRIORITY] ?? 0);
  return Number.isInteger(priority) && priority > 0 ? priority : 0;
}

function distance({ instance }: Endpoint, own: Place | undefined): number {
  if (own === undefined) return 0;
  const { region, zone } = placeOf(instance?.metadata ?? {});
  if (own.region !== undefined && region !== undefined && region !== own.region) return 2;
  if (own.zone !== undefined && zone === own.zone) return 0;
  return own.region !== undefined && region === own.region ? 1 : 2;
}

import { writeEndpoint, type Instance } from '@mesher/core';
import { isPlainKey, META, META_LIMITS } from './meta-keys.js';

/** Where the instance is, and in which environment. */
export interface OwnPlace {
  readonly environment: string | undefined;
  readonly region: string | undefined;
  readonly zone: string | undefined;
}

export interface WrittenMeta {
  readonly meta: Readonly<Record<string, string>>;
  /** Names that only Mesher reads, because Consul does not take the entry as it is. */
  readonly packed: readonly string[];
  /** What there was no room for at all. */
  readonly lost: readonly string[];
}

/** An entry of more than this is better left as it is: packed it takes half of a piece or more. */
const MAX_PACKED_BYTES = 180;

type Entry = readonly [key: string, value: string];

/**
 * The metadata of a registration: facts of the instance, all of its addresses, then its own metadata. What breaks the limits of Consul is
 * packed into entries that Mesher reads; what does not even fit there is named.
 */
export function writeMeta({ version, app, weight, addresses, metadata }: Instance, place: OwnPlace): WrittenMeta {
  const facts: Entry[] = [
    [META.version, version],
    [META.app, app],
    ...Object.entries({ ...place }).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
    ...(isWholeWeight(weight) ? [] : [[META.weight, String(weight)] as const]),
    ...[...addresses].map(([protocol, address]): Entry => {
      const key = `${META.endpoint}${protocol.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`.slice(0, META_LIMITS.keyLength);
      return [key, writeEndpoint(protocol, address)];
    }),
  ];
  const own = Object.fromEntries(facts);
  const lost = facts.slice(META_LIMITS.pairs).map(([key]) => key);
  const plain: Entry[] = [];
  const packed: Entry[] = [];
  for (const entry of Object.entries(metadata)) {
    const [key, value] = entry;
    const fits = isPlainKey(key) && Buffer.byteLength(value) <= META_LIMITS.valueBytes && !Object.hasOwn(own, key);
    if (Object.hasOwn(own, key) && own[key] === value) continue;
    (fits ? plain : packed).push(entry);
  }
  const room = META_LIMITS.pairs - Math.min(facts.length, META_LIMITS.pairs);
  // Small entries give way first: many of them fit into one entry that only Mesher reads, while a large one would take more room there.
  plain.sort((one, other) => sizeOf(other) - sizeOf(one));
  for (let pieces = piecesOf(packed); plain.length + pieces.length > room; pieces = piecesOf(packed)) {
    const smallest = plain.pop();
    if (smallest === undefined) lost.push(...packed.splice(-1).map(([key]) => key));
    else if (sizeOf(smallest) <= MAX_PACKED_BYTES) packed.push(smallest);
    else lost.push(smallest[0]);
  }
  return {
    meta: Object.fromEntries([...facts.slice(0, META_LIMITS.pairs), ...plain, ...piecesOf(packed)]),
    packed: packed.map(([key]) => key),
    lost,
  };
}

/** Of a weight that Consul's own weights can say. */
export function isWholeWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 1 && weight <= 65_535;
}

function sizeOf([key, value]: Entry): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

function piecesOf(packed: readonly Entry[]): Entry[] {
  if (packed.length === 0) return [];
  const text = Buffer.from(JSON.stringify(Object.fromEntries(packed))).toString('base64');
  const pieces: Entry[] = [];
  for (let from = 0; from < text.length; from += META_LIMITS.valueBytes) {
    pieces.push([`${META.more}${pieces.length}`, text.slice(from, from + META_LIMITS.valueBytes)]);
  }
  return pieces;
}

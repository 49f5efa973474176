import { readEndpoint, textsOf, type InstanceAddress } from '@mesher/core';
import { META, META_LIMITS } from './meta-keys.js';

export interface ReadMeta {
  readonly version: string | undefined;
  readonly app: string | undefined;
  readonly environment: string | undefined;
  /** Undefined when Consul's own weight counts. */
  readonly weight: number | undefined;
  /** As the registration lists them; none where it is not Mesher's. */
  readonly addresses: ReadonlyMap<string, InstanceAddress>;
  /** All the rest. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the metadata of a registration, of whomever.
 * @param onProblem told of what makes no sense
 */
export function readMeta(meta: unknown, onProblem: (problem: string) => void): ReadMeta {
  const texts = textsOf(meta);
  const addresses = new Map<string, InstanceAddress>();
  // Not an object: `__proto__` is a name as good as any in Consul.
  const rest: (readonly [name: string, value: string])[] = [];
  const pieces: string[] = [];
  for (const [key, value] of Object.entries(texts)) {
    if (key.startsWith(META.endpoint)) {
      const read = readEndpoint(value);
      if (read === undefined) onProblem(`${key} is no address: ${value.slice(0, 100)}`);
      else addresses.set(read.protocol, read.address);
    } else if (key.startsWith(META.more)) {
      const index = Number(key.slice(META.more.length));
      if (Number.isInteger(index) && index >= 0 && index < META_LIMITS.pairs) pieces[index] = value;
    } else if (key !== META.version && key !== META.app && key !== META.weight) {
      rest.push([key, value]);
    }
  }
  const metadata = Object.fromEntries(rest);
  const weight = Number(texts[META.weight] ?? Number.NaN);
  return {
    version: texts[META.version],
    app: texts[META.app],
    environment: texts[META.environment],
    weight: Number.isFinite(weight) && weight >= 0 ? weight : undefined,
    addresses,
    metadata: pieces.length === 0 ? metadata : { ...metadata, ...unpack(pieces, onProblem) },
  };
}

function unpack(pieces: readonly string[], onProblem: (problem: string) => void): Record<string, string> {
  try {
    return textsOf(JSON.parse(Buffer.from(pieces.join(''), 'base64').toString()));
  } catch {
    onProblem(`${META.more}* cannot be read`);
    return {};
  }
}

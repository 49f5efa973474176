import { isDocument, type Place } from './places.js';
import { ConsulError } from '../client/consul-error.js';

/** What one place says. */
export interface PlaceContent {
  /** Whole YAML texts by their key, then single values by dotted key: what is said by itself wins. */
  readonly documents: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  /** Keys whose value is no text. */
  readonly unreadable: readonly string[];
}

/**
 * Reads the items of Consul (`Key`, `Value` in Base64 or null) that belong to a place. Keys that end with a slash are folders and say
 * nothing.
 * @throws ConsulError CONSUL_ANSWER for what is no list of such items
 */
export function readKeys(items: unknown, place: Place): PlaceContent {
  const documents = new Map<string, string>();
  const values = new Map<string, string>();
  const unreadable: string[] = [];
  if (!Array.isArray(items)) throw noKeys();
  for (const item of items as readonly unknown[]) {
    const { Key: key, Value: value } = (item ?? {}) as { readonly Key?: unknown; readonly Value?: unknown };
    if (typeof key !== 'string' || !(value === null || typeof value === 'string')) throw noKeys();
    const name = key.slice(place.key.length);
    // Consul answers a key with all that begin like it.
    const isMine = place.kind === 'prefix' ? key.startsWith(place.key) && name !== '' : key === place.key;
    if (!isMine || key.endsWith('/')) continue;
    const text = decode(value ?? '');
    if (text === undefined) unreadable.push(key);
    else if (isDocument(key)) documents.set(key, text);
    else values.set(name.replaceAll('/', '.'), text);
  }
  return { documents, values, unreadable };
}

function noKeys(): ConsulError {
  return new ConsulError('CONSUL_ANSWER', 'an answer of Consul is not a list of keys');
}

function decode(base64: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

import type { MeshError } from '../../errors.js';
import type { Problem } from '../problem.js';
import type { EffectiveValue } from '../schema/read-context.js';

/** A dotted key within a message, and a value in quotes. */
const KEY = /[\w-]+(?:\.[\w-]+)+/g;
const QUOTED = /'([^']+)'/g;

/**
 * Where a mistake is written that shows only when parts are put together. Their messages name the key, or what it stands below, and
 * the value; the values know their places.
 */
export function locateMistake(error: MeshError, effective: readonly EffectiveValue[]): Problem {
  const keys = [...error.message.matchAll(KEY)].map(([key]) => key);
  const values = [...error.message.matchAll(QUOTED)].map(([, value = '']) => value);
  for (const key of keys) {
    const below = effective.filter(
      (entry) => entry.origin.layer !== 'default' && (entry.key === key || /^[.[]/.test(tail(entry.key, key))),
    );
    const found = below.find(({ value }) => values.includes(value)) ?? below.find((entry) => entry.key === key);
    if (found !== undefined) return { origin: found.origin, path: found.key, message: error.message };
  }
  return { origin: { layer: 'default' }, path: '', message: error.message };
}

/** What follows `prefix` in `key`; empty when it does not begin so. */
function tail(key: string, prefix: string): string {
  return key.startsWith(prefix) ? key.slice(prefix.length) : '';
}

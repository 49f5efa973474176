import { ConfigNode, type Leaf } from '../tree/config-node.js';
import { nearestName } from './nearest.js';
import type { KeyMatch, Schema } from './schema.js';

/**
 * The entries of a group whose names are free. Names may contain dots (`orders.v1`, `AccountService.rest.Consumer`), and dotted
 * keys and nested maps are one and the same here, so where a name ends is decided by what follows: it ends before a key that
 * the value knows, or, for single values, at the value.
 *
 * @param fields the keys that a value of the map may have; empty for single values
 */
export function mapEntries(
  children: Iterable<readonly [string, ConfigNode]>,
  value: Schema<unknown>,
  fields: ReadonlySet<string>,
): Map<string, ConfigNode> {
  const entries = new Map<string, ConfigNode>();
  for (const [name, child] of children) {
    collect(name, child, value, fields, entries);
  }
  return entries;
}

function collect(
  name: string,
  node: ConfigNode,
  value: Schema<unknown>,
  fields: ReadonlySet<string>,
  entries: Map<string, ConfigNode>,
): void {
  if (!node.isSet) {
    return;
  }
  if (value.shape === 'map') {
    entries.set(name, node);
    return;
  }
  if (value.shape === 'leaf') {
    if (node.leaf !== undefined) {
      const entry = new ConfigNode(node.origin);
      entry.leaf = node.leaf;
      entries.set(name, entry);
    }
    for (const [key, child] of node.children) {
      collect(`${name}.${key}`, child, value, fields, entries);
    }
    return;
  }
  const longerNames = [...node.children].filter(
    ([key, child]) => !fields.has(key) && goesOn([key], child, value, fields),
  );
  const own = new ConfigNode(node.origin);
  own.leaf = node.leaf;
  for (const [key, child] of node.children) {
    if (!longerNames.some(([longer]) => longer === key)) {
      own.children.set(key, child);
    }
  }
  if (own.isSet) {
    entries.set(name, own);
  }
  for (const [key, child] of longerNames) {
    collect(`${name}.${key}`, child, value, fields, entries);
  }
}

/**
 * True when a name goes on: at `node` or below it stands a key that the value knows, or the value as a whole.
 * @param parts what the name would go on with, down to `node`
 */
function goesOn(
  parts: readonly string[],
  node: ConfigNode,
  value: Schema<unknown>,
  fields: ReadonlySet<string>,
): boolean {
  if (value.textOf !== undefined && node.leaf !== undefined && isWholeValue(parts, node.leaf, value.textOf, fields)) {
    return true;
  }
  for (const [key, child] of node.children) {
    if (child.isSet && (fields.has(key) || goesOn([...parts, key], child, value, fields))) return true;
  }
  return false;
}

/** True for a text that holds YAML, and for a list of groups where a list is wanted. */
function isWholeValue(
  parts: readonly string[],
  leaf: Leaf,
  textOf: 'map' | 'list',
  fields: ReadonlySet<string>,
): boolean {
  if (leaf.kind === 'list' && (textOf !== 'list' || !leaf.items.some(({ hasKeys }) => hasKeys))) return false;
  if (hasKnownKeys(leaf, fields)) return true;
  // `rout: [{ tags: ... }]` is a key that was mistyped, while `jobs.batch` is a name although `match` is spelled nearly so.
  if (parts.some((part) => nearestName(part, fields) !== undefined)) return false;
  return leaf.kind === 'list' || /^\s*[-[{]|:\s|:$|\n/.test(leaf.text);
}

/** Texts are not parsed here: their first key tells. */
function hasKnownKeys(leaf: Leaf, fields: ReadonlySet<string>): boolean {
  if (leaf.kind === 'list')
    return leaf.items.every((item) => [...item.children.keys()].every((key) => fields.has(key)));
  const [, first = ''] = /(?:^|[\s{,])["']?([\w-]+)["']?\s*:/.exec(leaf.text) ?? [];
  return fields.has(first);
}

/** Environment variables in capitals cannot say how a free name is spelled: lower case is taken. */
export function foldName(piece: string, match: KeyMatch): string {
  return match === 'folded' ? piece.toLowerCase() : piece;
}

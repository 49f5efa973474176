import { ConfigNode } from '../tree/config-node.js';
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
    ([key, child]) => !fields.has(key) && (leadsToField(child, fields) || isWholeValue(key, child, value, fields)),
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

/** True when a name goes on to `key` and the value stands there: as a text that holds YAML, or as a list. */
function isWholeValue(key: string, node: ConfigNode, value: Schema<unknown>, fields: ReadonlySet<string>): boolean {
  if (value.textOf === undefined || node.leaf === undefined) return false;
  // `mach: ...` is a key that was mistyped, not a part of the name.
  if (nearestName(key, [...fields]) !== undefined) return false;
  return node.leaf.kind === 'list' ? value.textOf === 'list' : /^\s*[-[{]|[:\n]/.test(node.leaf.text);
}

function leadsToField(node: ConfigNode, fields: ReadonlySet<string>): boolean {
  for (const [key, child] of node.children) {
    if (child.isSet && (fields.has(key) || leadsToField(child, fields))) {
      return true;
    }
  }
  return false;
}

/** Environment variables in capitals cannot say how a free name is spelled: lower case is taken. */
export function foldName(piece: string, match: KeyMatch): string {
  return match === 'folded' ? piece.toLowerCase() : piece;
}

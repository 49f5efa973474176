import type { Origin } from '../problem.js';

/** One value as it was written. `text` is the source text: `1.0` stays `1.0`, although as a number it is 1. */
export interface ScalarLeaf {
  readonly kind: 'scalar';
  readonly text: string;
  readonly origin: Origin;
  /** Of a block text (`|`): the column at which its lines begin, counted from 1. They begin in the line after `origin`. */
  readonly blockColumn?: number;
}

/** Lists are values: they are replaced as a whole, never merged. */
export interface ListLeaf {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly origin: Origin;
}

export type Leaf = ScalarLeaf | ListLeaf;

/**
 * A key of the configuration tree. Dotted keys and nested maps are one and the same, so a key may hold a value and have keys
 * below it at once (`limit.Server: 100` and `limit.Server.sayHello: 50`).
 */
export class ConfigNode {
  leaf: Leaf | undefined;
  readonly children = new Map<string, ConfigNode>();

  /** @param origin where the key itself is written */
  constructor(public origin: Origin) {}

  /** True when a value is set here or anywhere below. */
  get isSet(): boolean {
    return this.leaf !== undefined || this.hasKeys;
  }

  /** True when a value is set below. */
  get hasKeys(): boolean {
    for (const child of this.children.values()) {
      if (child.isSet) {
        return true;
      }
    }
    return false;
  }
}

/** One value with its whole key, as the layers hand it on. `keyOrigins[i]` is where `path[i]` is written. */
export interface ConfigEntry {
  readonly path: readonly string[];
  readonly keyOrigins: readonly Origin[];
  readonly leaf: Leaf;
  /** The spelling the user wrote, when it is an old one. */
  readonly renamedFrom?: string;
}

/** Sets one value in the tree; a value that is already there gives way. */
export function insertEntry(root: ConfigNode, entry: ConfigEntry): void {
  let node = root;
  entry.path.forEach((key, index) => {
    let child = node.children.get(key);
    if (child === undefined) {
      child = new ConfigNode(entry.keyOrigins[index] ?? entry.leaf.origin);
      node.children.set(key, child);
    }
    node = child;
  });
  // The position of the key follows its value, so a message points at the layer that counts.
  node.origin = entry.keyOrigins.at(-1) ?? entry.leaf.origin;
  node.leaf = entry.leaf;
}

/** Plain JavaScript of a node: groups as null-prototype objects, scalars as text. For values whose shape is free. */
export function toPlain(node: ConfigNode): unknown {
  if (node.leaf?.kind === 'list') {
    return node.leaf.items.map(toPlain);
  }
  if (node.leaf !== undefined) {
    return node.leaf.text;
  }
  const group: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of node.children) {
    if (child.isSet) {
      group[key] = toPlain(child);
    }
  }
  return group;
}

import { formatOrigin, type Notice } from '../problem.js';
import { ConfigNode, insertEntry, type ConfigEntry, type Leaf } from '../tree/config-node.js';

/**
 * Puts layers of values into one tree. Within the files a present spelling wins over an old one, and of two equal spellings the
 * later one wins; both are said. Between layers the later layer wins silently: overriding is what it is for.
 */
export function mergeLayers(
  files: readonly ConfigEntry[],
  ...overriding: readonly (readonly ConfigEntry[])[]
): { tree: ConfigNode; notices: Notice[] } {
  const notices: Notice[] = [];
  const chosen = new Map<string, ConfigEntry>();
  for (const entry of files) {
    const key = entry.path.join('.');
    const earlier = chosen.get(key);
    if (earlier === undefined) {
      chosen.set(key, entry);
      continue;
    }
    const keepEarlier = earlier.renamedFrom === undefined && entry.renamedFrom !== undefined;
    const [winner, loser] = keepEarlier ? [earlier, entry] : [entry, earlier];
    chosen.set(key, winner);
    if (!sameLeaf(winner.leaf, loser.leaf)) {
      notices.push({ kind: 'overruled', origin: loser.leaf.origin, path: key, message: describe(winner, loser, key) });
    }
  }
  const tree = new ConfigNode({ layer: 'default' });
  for (const entry of [...chosen.values(), ...overriding.flat()]) {
    insertEntry(tree, entry);
  }
  return { tree, notices };
}

function describe(winner: ConfigEntry, loser: ConfigEntry, key: string): string {
  const place = formatOrigin(winner.leaf.origin);
  return loser.renamedFrom !== undefined && winner.renamedFrom === undefined
    ? `the old name '${loser.renamedFrom}' is not used, because '${key}' is set at ${place}; remove it`
    : `is not used, because the key is set again at ${place}; keep one of them`;
}

function sameLeaf(a: Leaf, b: Leaf): boolean {
  return a.kind === 'scalar' && b.kind === 'scalar' && a.text === b.text;
}

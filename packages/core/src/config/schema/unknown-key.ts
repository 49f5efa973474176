import type { ConfigNode } from '../tree/config-node.js';
import { nearestName } from './nearest.js';
import type { ReadContext } from './read-context.js';

/**
 * One notice for a key that nobody knows, however much stands below it, with the key the user most likely meant: a sibling that
 * is spelled nearly so, else the only known key that ends in the same name.
 */
export function reportUnknownKey(
  node: ConfigNode,
  path: string,
  siblings: readonly string[],
  context: ReadContext,
): void {
  if (!node.isSet) {
    return;
  }
  const parent = path.slice(0, Math.max(0, path.length - lastName(path).length));
  const sibling = nearestName(lastName(path), siblings);
  const suggestion = sibling === undefined ? elsewhere(path, context.knownKeys) : `${parent}${sibling}`;
  context.notice(
    'unknown-key',
    node.origin,
    path,
    `unknown key, ignored${suggestion === undefined ? '' : `; did you mean '${suggestion}'?`}`,
  );
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** The one known key or group of that name, wherever it stands. */
function elsewhere(path: string, knownKeys: readonly string[]): string | undefined {
  const name = lastName(path).toLowerCase();
  const found = new Set<string>();
  for (const key of knownKeys) {
    const parts = key.split('.');
    for (let length = 2; length <= parts.length; length += 1) {
      if (parts[length - 1]?.toLowerCase() === name) {
        found.add(parts.slice(0, length).join('.'));
      }
    }
  }
  const [only, second] = found;
  return second === undefined && only !== path ? only : undefined;
}

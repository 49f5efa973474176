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

function elsewhere(path: string, knownKeys: readonly string[]): string | undefined {
  const ending = `.${lastName(path).toLowerCase()}`;
  const found = knownKeys.filter((key) => key.toLowerCase().endsWith(ending));
  return found.length === 1 ? found[0] : undefined;
}

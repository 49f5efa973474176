import type { Instance } from '@mesher/core';
import { readInstances, type FoundAt } from '../client/read-instances.js';
import { itemsOf } from '../client/wire-model.js';

/** Instances that are read before others get their turn: some milliseconds. */
const SLICE = 1_000;

/** Like `readInstances`, without keeping calls waiting while it reads ten thousand. */
export async function readInSlices(
  list: unknown,
  at: FoundAt,
  onProblem: (problem: string) => void,
): Promise<readonly Instance[]> {
  const items = itemsOf(list);
  if (items.length <= SLICE) return readInstances(items, at, onProblem);
  const found = new Map<string, Instance>();
  for (let from = 0; from < items.length; from += SLICE) {
    for (const one of readInstances(items.slice(from, from + SLICE), at, onProblem)) found.set(one.instanceId, one);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return [...found.values()];
}

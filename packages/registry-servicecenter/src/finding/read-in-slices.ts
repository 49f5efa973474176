import { inSlices, itemsOf, readingInstances, type ListedInstances } from '@mesher/core';
import { readInstance, type FoundAt } from '../client/read-instances.js';

/**
 * Reads what service-center lists without keeping calls waiting while it reads ten thousand. What makes no sense is left out and told.
 * @param known what was listed before: an instance that is as it was keeps its object
 * @param onProblem told of each entry, or address of an entry, that was left out
 */
export async function readInSlices(
  list: unknown,
  at: FoundAt,
  onProblem: (problem: string) => void,
  known?: ListedInstances,
): Promise<ListedInstances> {
  return await inSlices(readingInstances(itemsOf(list), (item) => readInstance(item, at, onProblem), known));
}

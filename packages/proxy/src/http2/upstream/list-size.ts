import type { OutgoingHead } from '../connection/attempt-stream.js';
import type { HeaderField } from '../hpack/header-field.js';

/**
 * Size of a header list as it leaves, as RFC 9113, 10.5.1 counts it.
 * @param enough up to here more than the size may be returned, which needs no look at single fields
 */
export function listSizeOf({ block, edits, added }: OutgoingHead, enough: number): number {
  const addedSize = added === undefined ? 0 : sizeOf(added);
  const bound = block.listSize + (edits?.bound ?? 0) + addedSize;
  if (edits === undefined || bound <= enough) return bound;
  return sizeOf(edits.apply(block)) + addedSize;
}

function sizeOf(fields: readonly HeaderField[]): number {
  let size = 0;
  for (const field of fields) size += field.size;
  return size;
}

import type { Random } from '@mesher/core';

/** How far ages of connections lie apart: those that were made together, at a start, are not replaced together. */
const SPREAD = 0.2;

/**
 * Age at which one connection is replaced.
 * @param maxAgeMs most milliseconds; 0 for never
 * @returns milliseconds: at most `maxAgeMs`, and up to a fifth less; Infinity for never
 */
export function ageLimit(maxAgeMs: number, random: Random): number {
  return maxAgeMs === 0 ? Infinity : maxAgeMs * (1 - SPREAD * random.next());
}

import type { Direction } from '../invocation.js';

/** The side of `cse.*` that is about calls of a direction. */
export function sideOf(direction: Direction): 'Consumer' | 'Provider' {
  return direction === 'outbound' ? 'Consumer' : 'Provider';
}

import type { Scalar } from 'yaml';

/** The source text: as a number `1.0` would be 1. */
export function scalarText(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
}

/** Where a node starts in the text; 0 when the parser made it up. */
export function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

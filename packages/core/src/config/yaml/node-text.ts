import type { Scalar } from 'yaml';

/** The source text: as a number `1.0` would be 1. */
export function scalarText(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value));
}

/** Where a node starts in the text; 0 when the parser made it up. */
export function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** The column, from 1, at which the lines of a block text begin; undefined when the scalar is written in another way. */
export function blockColumn(scalar: Scalar, text: string): number | undefined {
  if (scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED') return undefined;
  const [start, end] = scalar.range ?? [0, 0];
  const [, ...lines] = text.slice(start, end).split('\n');
  const first = lines.find((line) => line.trim() !== '') ?? '';
  return first.length - first.trimStart().length + 1;
}

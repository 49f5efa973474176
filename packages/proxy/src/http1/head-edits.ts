import { MeshError } from '@mesher/core';
import { findLines, type FieldName } from './field-lookup.js';
import type { FieldScanner } from './field-scanner.js';

/** A plugin wants to send what cannot be sent. */
export function invalidField(what: string, problem: string): MeshError {
  return new MeshError('MESH_ERR_INVALID_FIELD', `header edit refused: ${what} ${problem}; a plugin asked for it`);
}

/** Adds the lines of removed fields to the cuts of the scan, in ascending order and each once. */
export function cutRemoved(
  scan: FieldScanner,
  buffer: Buffer,
  start: number,
  end: number,
  removed: readonly FieldName[],
): void {
  const ranges: [number, number][] = [];
  for (let i = 0; i < scan.cutCount; i += 2) ranges.push([scan.cuts[i], scan.cuts[i + 1]]);
  findLines(buffer, start, end, removed, (line, lineEnd) => {
    if (!ranges.some(([from]) => from === line)) ranges.push([line, lineEnd]);
  });
  ranges.sort((a, b) => a[0] - b[0]);
  scan.cutCount = 0;
  for (const [from, to] of ranges) {
    scan.cuts[scan.cutCount++] = from;
    scan.cuts[scan.cutCount++] = to;
  }
}

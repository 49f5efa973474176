/** What is measured of each interceptor. `micros` is CPU time per piece, `perGb` CPU seconds. */
export const ROWS = [
  { id: 'down', title: 'download', unit: 'CPU s/GB', digits: 2 },
  { id: 'up', title: 'upload', unit: 'CPU s/GB', digits: 2 },
  { id: 'both', title: 'both ways at once', unit: 'CPU s/GB', digits: 2 },
  { id: 'turn', title: 'one byte there and back', unit: 'CPU us', digits: 1 },
  { id: 'p50', title: 'the same, added to a direct connection, p50', unit: 'us', digits: 0 },
  { id: 'p99', title: 'the same, added to a direct connection, p99', unit: 'us', digits: 0 },
  { id: 'new', title: 'a new connection, with one request', unit: 'CPU us', digits: 1 },
  { id: 'http', title: 'an HTTP request on one of 64 connections', unit: 'CPU us', digits: 1 },
  { id: 'idle', title: 'resident memory at the start', unit: 'MB', digits: 0 },
  { id: 'thousand', title: 'resident memory with 1,000 connections', unit: 'MB', digits: 0 },
  { id: 'crowd', title: 'resident memory with 10,000 connections', unit: 'MB', digits: 0 },
  { id: 'loaded', title: 'resident memory after all of the load', unit: 'MB', digits: 0 },
] as const;

export type RowId = (typeof ROWS)[number]['id'];

/** Samples by row. */
export type Samples = Map<RowId, number[]>;

export function add(samples: Samples, row: RowId, value: number): void {
  const list = samples.get(row);
  if (list === undefined) samples.set(row, [value]);
  else list.push(value);
}

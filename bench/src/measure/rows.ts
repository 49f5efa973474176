import type { Layer } from '../candidates/candidate.js';
import { HTTP2_ROWS, type CallsRow, type HeldRow, type StreamingRow } from './http2-rows.js';
import { LARGE_PATH, MEDIUM_PATH, SMALL_PATH } from '../upstream/bodies.js';

/** Bursts of requests, as fast as they go. */
export interface RequestsRow extends RowBase {
  readonly kind: 'requests';
  readonly path: string;
  readonly connections: number;
  readonly close: boolean;
  /** Bytes of body that each answer must at least have brought. */
  readonly bodyBytes: number;
}

/** Requests at a fixed rate: what a proxy adds to the latency while it is not saturated. */
export interface RateRow extends RowBase {
  readonly kind: 'rate';
  readonly path: string;
  readonly connections: number;
  readonly perSecond: number;
}

/** Bytes over one connection. */
export interface BulkRow extends RowBase {
  readonly kind: 'bulk';
  readonly direction: 'down' | 'up';
  readonly path: string;
}

/** Memory of connections that are open and silent. */
export interface IdleRow extends RowBase {
  readonly kind: 'idle';
}

/** Time until ready, and memory when nothing has happened yet. */
export interface StartRow extends RowBase {
  readonly kind: 'start';
}

/** One measurement that every candidate of its layer undergoes. */
export type Row = RequestsRow | RateRow | BulkRow | IdleRow | StartRow | CallsRow | StreamingRow | HeldRow;

/** What every row has. */
export interface RowBase {
  readonly id: string;
  readonly layer: Layer;
  readonly title: string;
}

const NEW_CONNECTION_LANES = 32;
const MODERATE_RATE = 1_000;
const RATE_LANES = 64;

function requests(
  id: string,
  layer: Layer,
  title: string,
  path: string,
  connections: number,
  close = false,
): RequestsRow {
  const bodyBytes = path === MEDIUM_PATH ? 16_384 : 128;
  return { kind: 'requests', id, layer, title, path, connections, close, bodyBytes };
}

/** Every row, in the order in which they are measured and printed. */
export const ROWS: readonly Row[] = [
  requests('l7-128-c4', 'l7', 'HTTP, 128 B, 4 connections', SMALL_PATH, 4),
  requests('l7-128-c64', 'l7', 'HTTP, 128 B, 64 connections', SMALL_PATH, 64),
  requests('l7-16k-c4', 'l7', 'HTTP, 16 KB, 4 connections', MEDIUM_PATH, 4),
  requests('l7-16k-c64', 'l7', 'HTTP, 16 KB, 64 connections', MEDIUM_PATH, 64),
  requests('l7-new', 'l7', 'HTTP, a new client connection per request', SMALL_PATH, NEW_CONNECTION_LANES, true),
  {
    kind: 'rate',
    id: 'l7-rate',
    layer: 'l7',
    title: 'HTTP, 128 B, 1,000 requests/s',
    path: SMALL_PATH,
    connections: RATE_LANES,
    perSecond: MODERATE_RATE,
  },
  { kind: 'bulk', id: 'l7-down', layer: 'l7', title: 'HTTP, large download', direction: 'down', path: LARGE_PATH },
  ...HTTP2_ROWS,
  requests('l4-128-c64', 'l4', 'Relay, 128 B requests kept alive, 64 connections', SMALL_PATH, 64),
  requests('l4-new', 'l4', 'Relay, new connections', SMALL_PATH, NEW_CONNECTION_LANES, true),
  { kind: 'bulk', id: 'l4-down', layer: 'l4', title: 'Relay, download', direction: 'down', path: LARGE_PATH },
  { kind: 'bulk', id: 'l4-up', layer: 'l4', title: 'Relay, upload', direction: 'up', path: '' },
  requests('policies-128-c64', 'policies', 'HTTP, 128 B, 64 connections, one policy at a time', SMALL_PATH, 64),
  { kind: 'start', id: 'l7-start', layer: 'l7', title: 'HTTP, start and memory' },
  { kind: 'start', id: 'l4-start', layer: 'l4', title: 'Relay, start and memory' },
  { kind: 'idle', id: 'l7-idle', layer: 'l7', title: 'HTTP, idle connections' },
  { kind: 'idle', id: 'l4-idle', layer: 'l4', title: 'Relay, idle connections' },
];

/**
 * The rows whose id is named or begins with a name (`l7`, `l4-down`); all without names.
 *
 * @throws Error when a name fits no row
 */
export function selectRows(names: readonly string[]): readonly Row[] {
  for (const name of names) {
    if (!ROWS.some((row) => row.id.startsWith(name))) {
      throw new Error(`--rows: no row begins with "${name}"; there are ${ROWS.map((row) => row.id).join(', ')}`);
    }
  }
  return names.length === 0 ? ROWS : ROWS.filter((row) => names.some((name) => row.id.startsWith(name)));
}

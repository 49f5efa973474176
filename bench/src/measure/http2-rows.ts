import { GRPC_HEADERS, GRPC_PATH, GRPC_SERVICE, grpcMessage } from '../net/grpc-call.js';
import { REQUEST_HEADERS, SERVICE } from '../net/request-head.js';
import { MEDIUM_PATH, SMALL_PATH, STREAM_PATH } from '../upstream/bodies.js';
import type { RowBase } from './rows.js';

/** Calls over HTTP/2, as fast as they go. */
export interface CallsRow extends RowBase {
  readonly kind: 'calls';
  /** Which upstream answers: nginx with a fixed body, or the gRPC server. */
  readonly upstream: 'http2' | 'grpc';
  readonly authority: string;
  readonly paths: readonly string[];
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  readonly connections: number;
  readonly streams: number;
  /** Bytes of body that each answer must at least have brought. */
  readonly bodyBytes: number;
}

/** Bytes over one HTTP/2 connection, a few calls at a time. */
export interface StreamingRow extends Omit<CallsRow, 'kind'> {
  readonly kind: 'streaming';
  readonly direction: 'down' | 'up';
}

/** Memory of HTTP/2 connections or calls that are open and silent. */
export interface HeldRow extends RowBase {
  readonly kind: 'held';
  /** Calls that stay open on each connection; 0 for idle connections. */
  readonly openCalls: number;
  readonly connections: number;
}

/** The two ways in which gRPC clients come: few with many calls at once, many with one. */
const SHAPES = [
  { name: 'c8m16', words: '8 connections x 16 calls', connections: 8, streams: 16 },
  { name: 'c64m1', words: '64 connections x 1 call', connections: 64, streams: 1 },
] as const;

const [FEW, MANY] = SHAPES;
const PATHS = 5_000;
const MESSAGE_BYTES = 100;
/** A message as large as gRPC's frames of 16 KB fill some of, and small beside a window. */
const UPLOAD_BYTES = 1_048_576;
const HEADERS_OF_MANY = 12;

const lowerCase = (headers: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] =>
  headers.map(([name, value]) => [name.toLowerCase(), value] as const);

/** The HTTP/1 rows' headers and some more, so that there are twelve. */
function manyHeaders(): readonly (readonly [string, string])[] {
  const headers = [...lowerCase(REQUEST_HEADERS)];
  while (headers.length < HEADERS_OF_MANY) headers.push([`x-tenant-${headers.length}`, `value-of-${headers.length}`]);
  return headers;
}

type Shape = (typeof SHAPES)[number];

function calls(id: string, title: string, shape: Shape, over: Partial<CallsRow>): CallsRow {
  return {
    kind: 'calls',
    id: `h2-${id}-${shape.name}`,
    layer: 'h2',
    title: `${title}, ${shape.words}`,
    upstream: 'http2',
    authority: SERVICE,
    paths: [SMALL_PATH],
    headers: lowerCase(REQUEST_HEADERS),
    body: undefined,
    connections: shape.connections,
    streams: shape.streams,
    bodyBytes: 128,
    ...over,
  };
}

const UNARY = {
  upstream: 'grpc',
  authority: GRPC_SERVICE,
  paths: [GRPC_PATH],
  headers: GRPC_HEADERS,
  body: grpcMessage(MESSAGE_BYTES),
} as const;

/** `/128?item=17`: another path for the header tables, the same answer. */
const MANY_PATHS = Array.from({ length: PATHS }, (_, index) => `${SMALL_PATH}?item=${index}`);

/** The rows of HTTP/2 and gRPC, in the order in which they are measured and printed. */
export const HTTP2_ROWS: readonly (CallsRow | StreamingRow | HeldRow)[] = [
  calls('unary', 'gRPC unary calls', FEW, UNARY),
  calls('unary', 'gRPC unary calls', MANY, UNARY),
  calls('get', 'HTTP/2, GET of 128 B', FEW, {}),
  calls('get', 'HTTP/2, GET of 128 B', MANY, {}),
  calls('paths', 'HTTP/2, 5,000 paths in turn and 12 headers', FEW, { paths: MANY_PATHS, headers: manyHeaders() }),
  calls('paths', 'HTTP/2, 5,000 paths in turn and 12 headers', MANY, { paths: MANY_PATHS, headers: manyHeaders() }),
  calls('16k', 'HTTP/2, GET of 16 KB', FEW, { paths: [MEDIUM_PATH], bodyBytes: 16_384 }),
  {
    ...calls('down', 'HTTP/2, large download', FEW, { paths: [STREAM_PATH] }),
    kind: 'streaming',
    id: 'h2-down',
    title: 'HTTP/2, downloads over one stream',
    direction: 'down',
    connections: 1,
    streams: 1,
  },
  {
    ...calls('up', 'gRPC', FEW, { ...UNARY, body: grpcMessage(UPLOAD_BYTES) }),
    kind: 'streaming',
    id: 'h2-up',
    title: 'gRPC, large messages up',
    direction: 'up',
    connections: 1,
    streams: 4,
  },
  { kind: 'held', id: 'h2-idle', layer: 'h2', title: 'HTTP/2, idle connections', openCalls: 0, connections: 1_000 },
  { kind: 'held', id: 'h2-open', layer: 'h2', title: 'gRPC, open calls', openCalls: 8, connections: 100 },
];

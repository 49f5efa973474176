import type { Direction } from '../invocation.js';
import {
  SmallFamily,
  type Labels,
  type MetricDefinition,
  type MetricFamily,
  type MetricType,
} from './metric-family.js';

function define(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'connections', labels: ['direction', ...labels], help };
}

/** The metrics of HTTP/2 connections; part of `docs/reference/metrics.md`. */
export const HTTP2_METRICS = {
  connections: define(
    'gauge',
    'mesher_http2_connections_open',
    ['side', 'state'],
    'Open HTTP/2 connections from callers (side downstream) and to upstreams; state connecting, open, or draining for one that takes no further calls.',
  ),
  streams: define(
    'gauge',
    'mesher_http2_streams_open',
    ['side'],
    'Open streams of HTTP/2 connections: calls from callers (side downstream), and attempts at upstreams.',
  ),
  waiting: define(
    'gauge',
    'mesher_http2_streams_waiting',
    [],
    'Requests that wait for a stream, because connections to the upstream are being made or have no room.',
  ),
  bufferedBytes: define(
    'gauge',
    'mesher_http2_buffered_bytes',
    [],
    'Bytes of bodies held for receivers that are slower than their senders.',
  ),
  resets: define(
    'counter',
    'mesher_http2_resets_total',
    ['by'],
    'Streams of HTTP/2 connections on either side that were reset: by the peer (a caller that gave up, an upstream), or by mesher.',
  ),
  refused: define(
    'counter',
    'mesher_http2_refused_streams_total',
    [],
    'Requests that upstreams refused without having looked at them (REFUSED_STREAM).',
  ),
  replayed: define(
    'counter',
    'mesher_http2_replayed_streams_total',
    [],
    'Requests sent once more because the upstream had not looked at them: refused, or overtaken by its GOAWAY.',
  ),
  goaways: define('counter', 'mesher_http2_goaways_total', [], 'Connections that upstreams have announced to end.'),
  unanswered: define(
    'counter',
    'mesher_http2_unanswered_pings_total',
    [],
    'Connections to upstreams given up because a PING was not answered.',
  ),
  violations: define(
    'counter',
    'mesher_http2_violations_total',
    ['kind'],
    'Connections or streams ended because the peer broke a rule of HTTP/2 or a limit, by kind.',
  ),
} as const satisfies Record<string, MetricDefinition>;

/** What a proxy knows about its HTTP/2 connections at the moment of a scrape. */
export interface Http2Numbers {
  readonly downstream: {
    readonly open: number;
    readonly streams: number;
  };
  readonly upstream: {
    readonly connecting: number;
    readonly open: number;
    readonly draining: number;
    readonly streams: number;
    readonly waiting: number;
    readonly replayed: number;
    readonly refused: number;
    readonly goaways: number;
    readonly unanswered: number;
  };
  /** Streams that the peer, or we, have reset. */
  readonly resetsReceived: number;
  readonly resetsSent: number;
  readonly bufferedBytes: number;
  readonly violations: Iterable<readonly [kind: string, count: number]>;
}

/** The HTTP/2 connections of one proxy. */
export interface Http2StatsSource {
  /** What its listeners are for; `both` when one proxy serves both. */
  readonly direction: Direction | 'both';
  readonly read: () => Http2Numbers;
}

type Reading = readonly [value: number, labels?: Labels];

const READINGS: readonly (readonly [MetricDefinition, (numbers: Http2Numbers) => readonly Reading[]])[] = [
  [
    HTTP2_METRICS.connections,
    ({ downstream, upstream }) => [
      [downstream.open, { side: 'downstream', state: 'open' }],
      ...(['connecting', 'open', 'draining'] as const).map((state): Reading => [
        upstream[state],
        { side: 'upstream', state },
      ]),
    ],
  ],
  [
    HTTP2_METRICS.streams,
    ({ downstream, upstream }) => [
      [downstream.streams, { side: 'downstream' }],
      [upstream.streams, { side: 'upstream' }],
    ],
  ],
  [HTTP2_METRICS.waiting, ({ upstream }) => [[upstream.waiting]]],
  [HTTP2_METRICS.bufferedBytes, ({ bufferedBytes }) => [[bufferedBytes]]],
  [
    HTTP2_METRICS.resets,
    ({ resetsReceived, resetsSent }) => [
      [resetsReceived, { by: 'peer' }],
      [resetsSent, { by: 'mesher' }],
    ],
  ],
  [HTTP2_METRICS.refused, ({ upstream }) => [[upstream.refused]]],
  [HTTP2_METRICS.replayed, ({ upstream }) => [[upstream.replayed]]],
  [HTTP2_METRICS.goaways, ({ upstream }) => [[upstream.goaways]]],
  [HTTP2_METRICS.unanswered, ({ upstream }) => [[upstream.unanswered]]],
  [HTTP2_METRICS.violations, ({ violations }) => [...violations].map(([kind, count]): Reading => [count, { kind }])],
];

/** The families of the page that read `sources` at scrape time. */
export function http2Families(sources: readonly Http2StatsSource[]): MetricFamily[] {
  return READINGS.map(
    ([definition, read]) =>
      new SmallFamily(definition, () =>
        sources.flatMap(({ direction, read: numbers }) =>
          read(numbers()).map(([value, labels]) => ({ labels: { direction, ...labels }, value })),
        ),
      ),
  );
}

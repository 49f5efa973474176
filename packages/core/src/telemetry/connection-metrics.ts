import type { Direction } from '../invocation.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { Labels, MetricDefinition, MetricFamily, Sample } from './metric-family.js';

/**
 * What the wires of one direction count: plain numbers, so that the data plane writes `stats.accepted++`. Fields that end in
 * `Open` or `Idle` go up and down; all others only up.
 */
export interface ConnectionStats {
  /** Downstream connections accepted. */
  accepted: number;
  /** Downstream connections that are open now. */
  downstreamOpen: number;
  /** Downstream connections closed at once because the limit on connections was reached. */
  rejectedByLimit: number;
  /** What the first bytes of downstream connections turned out to be. */
  http1: number;
  http2: number;
  tls: number;
  tcp: number;
  /** Attempts to connect to an upstream, the failed ones included. */
  upstreamConnects: number;
  upstreamConnectFailures: number;
  /** Upstream connections that are open now, busy and idle. */
  upstreamOpen: number;
  /** Upstream connections that wait in the pool now. */
  upstreamIdle: number;
  /** Requests that had to wait for a connection of the pool. */
  poolWaits: number;
  /** Requests sent again because a pooled connection turned out to be dead before the first byte of the answer. */
  reusedConnectionRetries: number;
  bytesToUpstream: number;
  bytesToDownstream: number;
  /** A request was refused for its framing or syntax. */
  countMalformed(reason: string): void;
  /** Refused requests by reason. */
  readonly malformed: ReadonlyMap<string, number>;
}

/**
 * Different reasons that are counted apart; the rest is counted as `other`. Reasons are constants of the scanners, so the cap only
 * bites when somebody lets the text of a request into one.
 */
export const MAX_MALFORMED_REASONS = 40;

/** The counters of one direction. */
export class ConnectionCounters implements ConnectionStats {
  accepted = 0;
  downstreamOpen = 0;
  rejectedByLimit = 0;
  http1 = 0;
  http2 = 0;
  tls = 0;
  tcp = 0;
  upstreamConnects = 0;
  upstreamConnectFailures = 0;
  upstreamOpen = 0;
  upstreamIdle = 0;
  poolWaits = 0;
  reusedConnectionRetries = 0;
  bytesToUpstream = 0;
  bytesToDownstream = 0;
  readonly #malformed = new Map<string, number>();

  get malformed(): ReadonlyMap<string, number> {
    return this.#malformed;
  }

  /** @param reason a short constant of the scanner, such as `duplicate-content-length` */
  countMalformed(reason: string): void {
    const counted = this.#malformed.has(reason) || this.#malformed.size < MAX_MALFORMED_REASONS ? reason : 'other';
    this.#malformed.set(counted, (this.#malformed.get(counted) ?? 0) + 1);
  }
}

type NumberField = {
  [K in keyof ConnectionStats]: ConnectionStats[K] extends number ? K : never;
}[keyof ConnectionStats];

/** Which field stands behind which metric, and the label that tells fields of one metric apart. */
const FIELDS: readonly (readonly [MetricDefinition, readonly (readonly [field: NumberField, labels: Labels])[]])[] = [
  [METRICS.downstreamAccepted, [['accepted', {}]]],
  [METRICS.downstreamOpen, [['downstreamOpen', {}]]],
  [METRICS.downstreamRejected, [['rejectedByLimit', {}]]],
  [
    METRICS.connectionProtocols,
    [
      ['http1', { protocol: 'http1' }],
      ['http2', { protocol: 'http2' }],
      ['tls', { protocol: 'tls' }],
      ['tcp', { protocol: 'tcp' }],
    ],
  ],
  [METRICS.upstreamConnects, [['upstreamConnects', {}]]],
  [METRICS.upstreamConnectFailures, [['upstreamConnectFailures', {}]]],
  [METRICS.upstreamOpen, [['upstreamOpen', {}]]],
  [METRICS.upstreamIdle, [['upstreamIdle', {}]]],
  [METRICS.poolWaits, [['poolWaits', {}]]],
  [METRICS.reusedConnectionRetries, [['reusedConnectionRetries', {}]]],
  [
    METRICS.relayedBytes,
    [
      ['bytesToUpstream', { toward: 'upstream' }],
      ['bytesToDownstream', { toward: 'downstream' }],
    ],
  ],
];

/** The families of the page that read `stats` at scrape time. */
export function connectionFamilies(stats: Readonly<Record<Direction, ConnectionStats>>): MetricFamily[] {
  const sides = [
    { direction: 'outbound', stats: stats.outbound },
    { direction: 'inbound', stats: stats.inbound },
  ] as const;
  const families: MetricFamily[] = FIELDS.map(
    ([definition, fields]) =>
      new SmallFamily(definition, () =>
        sides.flatMap(({ direction, stats: side }) =>
          fields.map(([field, labels]): Sample => ({ labels: { direction, ...labels }, value: side[field] })),
        ),
      ),
  );
  families.push(
    new SmallFamily(METRICS.malformedRequests, () =>
      sides.flatMap(({ direction, stats: side }) =>
        [...side.malformed].map(([reason, value]): Sample => ({ labels: { direction, reason }, value })),
      ),
    ),
  );
  return families;
}

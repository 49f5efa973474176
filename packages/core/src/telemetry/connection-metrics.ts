import type { Direction } from '../invocation.js';
import { METRICS } from './metric-catalog.js';
import { SmallFamily } from './metric-family.js';
import type { Labels, MetricDefinition, MetricFamily, Sample } from './metric-family.js';
import type { ReasonCounts } from './reason-counts.js';

/**
 * What a proxy counts about connections: plain numbers that it changes in place (`stats.connectionsAccepted++`) and that are read at
 * scrape time. Fields that end in `Open` or `Idle` go up and down, all others only up. `ProxyStats` of `@mesher/proxy` has them.
 */
export interface ConnectionStats {
  /** Downstream connections accepted, those that were refused included. */
  readonly connectionsAccepted: number;
  readonly connectionsOpen: number;
  /** Downstream connections closed at once because the limit on connections was reached. */
  readonly connectionsRefused: number;
  /** What the first bytes of downstream connections turned out to be. */
  readonly detectedHttp1: number;
  readonly detectedHttp2: number;
  readonly detectedTls: number;
  readonly detectedTcp: number;
  /** Attempts to connect to an upstream, the failed ones included. */
  readonly upstreamConnects: number;
  readonly upstreamConnectFailures: number;
  /** Upstream connections, busy and idle. */
  readonly upstreamOpen: number;
  /** Upstream connections that wait in a pool. */
  readonly upstreamIdle: number;
  /** Requests that had to wait for a connection of a pool. */
  readonly poolWaits: number;
  /** Requests that found no room to wait. */
  readonly poolOverflows: number;
  /** Requests sent again because a pooled connection was dead before the first byte of the answer. */
  readonly reusedConnectionRetries: number;
  readonly malformedRequests: number;
  readonly malformedResponses: number;
  readonly clientAborts: number;
  readonly timeouts: number;
  readonly bytesToUpstream: number;
  readonly bytesToDownstream: number;
  /** Copies of requests (mirroring) that are under way. */
  readonly mirrorsOpen: number;
  /** Copies whose answer was read to its end. */
  readonly mirrorsAnswered: number;
  /** Copies that were begun and not answered. */
  readonly mirrorsFailed: number;
  /** Second attempts that ran beside a slow first one, by whether theirs was the answer that was passed on. */
  readonly hedgesWon: number;
  readonly hedgesLost: number;
  /** Why copies were not made, or not sent whole. */
  readonly mirrorsDropped?: ReasonCounts;
  /** Why requests were malformed; without it all count under the reason `other`. */
  readonly malformedReasons?: ReasonCounts;
  /** Connections of transparent listeners. */
  readonly transparent?: Iterable<{
    readonly direction: Direction | 'unknown';
    readonly protocol: string;
    readonly verdict: string;
    readonly count: number;
  }>;
}

/** The numbers of one proxy. */
export interface ConnectionStatsSource {
  /** What its listeners are for; `both` when one proxy serves both. */
  readonly direction: Direction | 'both';
  readonly stats: ConnectionStats;
}

type ReasonField = 'malformedReasons' | 'mirrorsDropped';
type NumberField = Exclude<keyof ConnectionStats, ReasonField | 'malformedRequests' | 'transparent'>;
type LabelledField = readonly [field: NumberField, labels?: Labels];

/** Which fields stand behind which metric, and the label that tells fields of one metric apart. */
const FIELDS: readonly (readonly [MetricDefinition, ...LabelledField[]])[] = [
  [METRICS.downstreamAccepted, ['connectionsAccepted']],
  [METRICS.downstreamOpen, ['connectionsOpen']],
  [METRICS.downstreamRefused, ['connectionsRefused']],
  [
    METRICS.connectionProtocols,
    ['detectedHttp1', { protocol: 'http1' }],
    ['detectedHttp2', { protocol: 'http2' }],
    ['detectedTls', { protocol: 'tls' }],
    ['detectedTcp', { protocol: 'tcp' }],
  ],
  [METRICS.upstreamConnects, ['upstreamConnects']],
  [METRICS.upstreamConnectFailures, ['upstreamConnectFailures']],
  [METRICS.upstreamOpen, ['upstreamOpen']],
  [METRICS.upstreamIdle, ['upstreamIdle']],
  [METRICS.poolWaits, ['poolWaits']],
  [METRICS.poolOverflows, ['poolOverflows']],
  [METRICS.reusedConnectionRetries, ['reusedConnectionRetries']],
  [METRICS.malformedResponses, ['malformedResponses']],
  [METRICS.clientAborts, ['clientAborts']],
  [METRICS.timeouts, ['timeouts']],
  [METRICS.relayedBytes, ['bytesToUpstream', { toward: 'upstream' }], ['bytesToDownstream', { toward: 'downstream' }]],
  [METRICS.mirrorsOpen, ['mirrorsOpen']],
  [METRICS.mirrors, ['mirrorsAnswered', { result: 'answered' }], ['mirrorsFailed', { result: 'failed' }]],
  [METRICS.hedges, ['hedgesWon', { result: 'won' }], ['hedgesLost', { result: 'lost' }]],
];

/** The same for what is counted by reason. */
const REASON_FIELDS: readonly (readonly [MetricDefinition, Exclude<ReasonField, 'malformedReasons'>])[] = [
  [METRICS.mirrorsDropped, 'mirrorsDropped'],
];

/** The families of the page that read `sources` at scrape time. */
export function connectionFamilies(sources: readonly ConnectionStatsSource[]): MetricFamily[] {
  const families: MetricFamily[] = FIELDS.map(
    ([definition, ...fields]) =>
      new SmallFamily(definition, () =>
        sources.flatMap(({ direction, stats }) =>
          fields.map(([field, labels]): Sample => ({ labels: { direction, ...labels }, value: stats[field] })),
        ),
      ),
  );
  for (const [definition, field] of REASON_FIELDS) {
    families.push(
      new SmallFamily(definition, () =>
        sources.flatMap(({ direction, stats }) =>
          [...(stats[field] ?? [])].map(([reason, value]): Sample => ({ labels: { direction, reason }, value })),
        ),
      ),
    );
  }
  families.push(
    new SmallFamily(METRICS.transparentConnections, () =>
      sources.flatMap(({ stats }) =>
        [...(stats.transparent ?? [])].map(({ count, direction, protocol, verdict }): Sample => ({
          labels: { direction, protocol, verdict },
          value: count,
        })),
      ),
    ),
  );
  families.push(new SmallFamily(METRICS.malformedRequests, () => sources.flatMap(malformedRequests)));
  return families;
}

/** One sample per reason, and the rest as `other`, so that the sum is the number of malformed requests. */
function malformedRequests({ direction, stats }: ConnectionStatsSource): Sample[] {
  const counts = new Map(stats.malformedReasons ?? []);
  const known = [...counts.values()].reduce((sum, count) => sum + count, 0);
  counts.set('other', (counts.get('other') ?? 0) + Math.max(0, stats.malformedRequests - known));
  return [...counts].map(([reason, value]) => ({ labels: { direction, reason }, value }));
}

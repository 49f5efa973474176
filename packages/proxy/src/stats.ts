import { ReasonCounts } from '@mesher/core';
import { TransparentCounts } from './transparent/transparent-counts.js';
import { UpstreamCounts } from './http2/upstream/upstream-counts.js';

/** Counters of the data path: plain numbers, incremented in place and read at scrape time. */
export class ProxyStats {
  connectionsAccepted = 0;
  connectionsOpen = 0;
  connectionsRefused = 0;
  upstreamConnects = 0;
  upstreamConnectFailures = 0;
  upstreamOpen = 0;
  upstreamIdle = 0;
  poolWaits = 0;
  poolOverflows = 0;
  detectedHttp1 = 0;
  detectedHttp2 = 0;
  detectedTls = 0;
  detectedTcp = 0;
  malformedRequests = 0;
  malformedResponses = 0;
  reusedConnectionRetries = 0;
  clientAborts = 0;
  timeouts = 0;
  bytesToUpstream = 0;
  bytesToDownstream = 0;
  mirrorsOpen = 0;
  mirrorsAnswered = 0;
  mirrorsFailed = 0;
  hedgesWon = 0;
  hedgesLost = 0;
  /** Streams of HTTP/2, of either role, that ended with RST_STREAM of the peer, or with ours. */
  http2ResetsReceived = 0;
  http2ResetsSent = 0;
  /** What HTTP/2 peers did against the rules or beyond the limits, by `ViolationKind`. */
  readonly http2Violations: ReasonCounts = new ReasonCounts();
  readonly mirrorsDropped: ReasonCounts = new ReasonCounts();
  /** Connections that rules of interception brought. */
  readonly transparent: TransparentCounts = new TransparentCounts();
  readonly http2Upstream: UpstreamCounts = new UpstreamCounts();
}

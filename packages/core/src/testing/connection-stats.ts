import type { ConnectionStats } from '../telemetry/connection-metrics.js';
import type { Http2Numbers } from '../telemetry/http2-metrics.js';

/** Numbers of a proxy that has done nothing yet, to be changed by a test. */
export function zeroConnectionStats(): { -readonly [K in keyof ConnectionStats]: ConnectionStats[K] } {
  return {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    connectionsRefused: 0,
    detectedHttp1: 0,
    detectedHttp2: 0,
    detectedTls: 0,
    detectedTcp: 0,
    upstreamConnects: 0,
    upstreamConnectFailures: 0,
    upstreamOpen: 0,
    upstreamIdle: 0,
    poolWaits: 0,
    poolOverflows: 0,
    reusedConnectionRetries: 0,
    malformedRequests: 0,
    malformedResponses: 0,
    clientAborts: 0,
    timeouts: 0,
    bytesToUpstream: 0,
    bytesToDownstream: 0,
    mirrorsOpen: 0,
    mirrorsAnswered: 0,
    mirrorsFailed: 0,
    hedgesWon: 0,
    hedgesLost: 0,
  };
}

/** Numbers of a proxy without HTTP/2 connections. */
export function zeroHttp2Numbers(): Http2Numbers {
  return {
    downstream: { open: 0, streams: 0 },
    resetsReceived: 0,
    resetsSent: 0,
    upstream: {
      ...{ connecting: 0, open: 0, draining: 0, streams: 0, waiting: 0 },
      ...{ replayed: 0, refused: 0, goaways: 0, unanswered: 0 },
    },
    bufferedBytes: 0,
    violations: [],
  };
}

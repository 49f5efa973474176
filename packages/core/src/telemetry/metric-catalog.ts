import { REGISTRY_EVENTS } from '../registry/registry-events.js';
import type { MetricDefinition, MetricGroup, MetricType } from './metric-family.js';

function define(group: MetricGroup) {
  return (type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition => ({
    name,
    type,
    group,
    labels,
    help,
  });
}

const calls = define('calls');
const connections = define('connections');
const registry = define('registry');
const runtime = define('process');
const compatibility = define('compatibility');

const BY_SERVICE = ['direction', 'service'] as const;
const BY_STATUS = ['direction', 'service', 'status_class'] as const;
const BY_CODE = ['direction', 'service', 'code'] as const;
const BY_DIRECTION = ['direction'] as const;
const BY_REGISTRY = ['registry'] as const;
/** Labels of the original mesher; `app` and `version` are empty unless a route rule chose them. */
const ORIGINAL = ['service_name', 'app', 'version'] as const;

/** Every metric that Mesher exports. `docs/reference/metrics.md` is generated from this table. */
export const METRICS = {
  requests: calls(
    'counter',
    'mesher_requests_total',
    BY_STATUS,
    'Calls that ended, by class of the status that the caller got.',
  ),
  requestDuration: calls(
    'histogram',
    'mesher_request_duration_seconds',
    BY_STATUS,
    'Time from the complete request head to the last byte of the answer.',
  ),
  grpcRequests: calls(
    'counter',
    'mesher_grpc_requests_total',
    [...BY_SERVICE, 'grpc_status'],
    'Calls of gRPC that ended, by the name of the gRPC status that the caller got; in mesher_requests_total they count by the HTTP status that means the same.',
  ),
  requestsInFlight: calls('gauge', 'mesher_requests_in_flight', BY_SERVICE, 'Calls that began and have not ended.'),
  retries: calls(
    'counter',
    'mesher_retries_total',
    BY_CODE,
    'Attempts after the first, by the error of the attempt before.',
  ),
  rejections: calls(
    'counter',
    'mesher_rejections_total',
    BY_CODE,
    'Calls that Mesher itself answered with an error, by error code.',
  ),
  requestBytes: calls(
    'counter',
    'mesher_request_bytes_total',
    BY_SERVICE,
    'Bytes of request bodies that were forwarded.',
  ),
  responseBytes: calls(
    'counter',
    'mesher_response_bytes_total',
    BY_SERVICE,
    'Bytes of response bodies that were forwarded.',
  ),
  requestsBySource: calls(
    'counter',
    'mesher_inbound_requests_by_source_total',
    ['source', 'by'],
    'Inbound calls that began, by calling service and how it was found: ip, header (as the caller says) or none.',
  ),
  responses: calls(
    'counter',
    'mesher_responses_total',
    ['direction', 'status'],
    'Answers by exact HTTP status, of all services together. Paths that tracing ignores (tracing.ignoredPaths) are left out.',
  ),
  seriesDropped: calls(
    'counter',
    'mesher_series_dropped_total',
    [],
    'Times that a service got no series of its own because the cap was reached; its calls count as service _other.',
  ),

  downstreamAccepted: connections(
    'counter',
    'mesher_downstream_connections_accepted_total',
    BY_DIRECTION,
    'Connections accepted from callers.',
  ),
  downstreamOpen: connections(
    'gauge',
    'mesher_downstream_connections_open',
    BY_DIRECTION,
    'Open connections from callers.',
  ),
  downstreamRefused: connections(
    'counter',
    'mesher_downstream_connections_refused_total',
    BY_DIRECTION,
    'Connections from callers closed at once because the limit on connections was reached.',
  ),
  connectionProtocols: connections(
    'counter',
    'mesher_connection_protocols_total',
    ['direction', 'protocol'],
    'Connections from callers by the protocol that their first bytes showed: http1, http2, tls or tcp.',
  ),
  transparentConnections: connections(
    'counter',
    'mesher_transparent_connections_total',
    ['direction', 'protocol', 'verdict'],
    'Connections that rules of interception brought: what they turned out to be (http1, http2, tls, tcp, server-first, opaque or unknown), and what became of them (mesh, passed, refused, loop, direct, gone or failed).',
  ),
  upstreamConnects: connections(
    'counter',
    'mesher_upstream_connects_total',
    BY_DIRECTION,
    'Attempts to connect to an upstream, including those that failed.',
  ),
  upstreamConnectFailures: connections(
    'counter',
    'mesher_upstream_connect_failures_total',
    BY_DIRECTION,
    'Attempts to connect to an upstream that failed.',
  ),
  upstreamOpen: connections(
    'gauge',
    'mesher_upstream_connections_open',
    BY_DIRECTION,
    'Open connections to upstreams, busy and idle.',
  ),
  upstreamIdle: connections(
    'gauge',
    'mesher_upstream_connections_idle',
    BY_DIRECTION,
    'Connections that wait in a pool.',
  ),
  poolWaits: connections(
    'counter',
    'mesher_upstream_pool_waits_total',
    BY_DIRECTION,
    'Requests that had to wait for a connection of a pool.',
  ),
  poolOverflows: connections(
    'counter',
    'mesher_upstream_pool_overflows_total',
    BY_DIRECTION,
    'Requests refused because too many waited for a connection of the pool already.',
  ),
  reusedConnectionRetries: connections(
    'counter',
    'mesher_reused_connection_retries_total',
    BY_DIRECTION,
    'Requests sent again because a pooled connection was dead before the first byte of the answer.',
  ),
  relayedBytes: connections(
    'counter',
    'mesher_relayed_bytes_total',
    ['direction', 'toward'],
    'Bytes written toward upstreams and toward callers (downstream).',
  ),
  malformedRequests: connections(
    'counter',
    'mesher_malformed_requests_total',
    ['direction', 'reason'],
    'Requests refused because they break the framing or syntax rules of HTTP.',
  ),
  malformedResponses: connections(
    'counter',
    'mesher_malformed_responses_total',
    BY_DIRECTION,
    'Answers of upstreams that break the framing or syntax rules of HTTP.',
  ),
  clientAborts: connections(
    'counter',
    'mesher_client_aborts_total',
    BY_DIRECTION,
    'Requests whose caller left before the answer was complete.',
  ),
  timeouts: connections('counter', 'mesher_timeouts_total', BY_DIRECTION, 'Phases of an exchange that took too long.'),
  mirrors: connections(
    'counter',
    'mesher_mirrored_requests_total',
    ['direction', 'result'],
    'Copies of requests that were sent elsewhere, by what became of them: answered or failed.',
  ),
  mirrorsOpen: connections(
    'gauge',
    'mesher_mirrored_requests_open',
    BY_DIRECTION,
    'Copies of requests that are under way.',
  ),
  mirrorsDropped: connections(
    'counter',
    'mesher_mirrored_requests_dropped_total',
    ['direction', 'reason'],
    'Copies of requests that were not sent, or not to their end: no-target, too-many, body-too-large, no-connection, not-mirrorable.',
  ),
  hedges: connections(
    'counter',
    'mesher_hedged_attempts_total',
    ['direction', 'result'],
    'Second attempts beside a slow first one, by whether the answer came from them: won or lost.',
  ),

  registryState: registry(
    'gauge',
    'mesher_registry_state',
    ['registry', 'state'],
    '1 for the state that the registry connection is in (never, fresh, stale), 0 for the others.',
  ),
  registryAge: registry(
    'gauge',
    'mesher_registry_last_success_age_seconds',
    BY_REGISTRY,
    'Seconds since the last good answer of the registry; absent before the first.',
  ),
  registryProblems: registry(
    'gauge',
    'mesher_registry_problems',
    BY_REGISTRY,
    'Present complaints that do not stop the registry from working; GET /services on the admin port lists them.',
  ),
  registryServices: registry(
    'gauge',
    'mesher_registry_services_watched',
    BY_REGISTRY,
    'Services that are being watched.',
  ),
  registryInstances: registry(
    'gauge',
    'mesher_registry_instances',
    BY_REGISTRY,
    'Instances known of the watched services.',
  ),
  registryEndpoints: registry('gauge', 'mesher_registry_endpoints', BY_REGISTRY, 'Addresses of those instances.'),
  registryEvents: registry(
    'counter',
    'mesher_registry_events_total',
    [...BY_REGISTRY, 'event'],
    `What happened to the connection with the registry: ${Object.entries(REGISTRY_EVENTS)
      .map(([event, meaning]) => `${event} (${meaning})`)
      .join(', ')}. Absent for a registry without a connection.`,
  ),

  cpuSeconds: runtime('counter', 'process_cpu_seconds_total', [], 'User and system CPU time of the process.'),
  residentMemory: runtime('gauge', 'process_resident_memory_bytes', [], 'Resident memory of the process.'),
  startTime: runtime(
    'gauge',
    'process_start_time_seconds',
    [],
    'Start of the process in seconds since 1970-01-01 UTC.',
  ),
  openFds: runtime('gauge', 'process_open_fds', [], 'Open file descriptors (Linux only).'),
  maxFds: runtime(
    'gauge',
    'process_max_fds',
    [],
    'Limit on open file descriptors (Linux only; absent when unlimited).',
  ),
  heapUsed: runtime('gauge', 'nodejs_heap_size_used_bytes', [], 'JavaScript heap in use.'),
  heapTotal: runtime('gauge', 'nodejs_heap_size_total_bytes', [], 'JavaScript heap reserved.'),
  externalMemory: runtime(
    'gauge',
    'nodejs_external_memory_bytes',
    [],
    'Memory of objects bound to JavaScript ones, such as buffers.',
  ),
  loopLag: runtime(
    'gauge',
    'nodejs_eventloop_lag_seconds',
    [],
    'Time that one turn of the event loop took while this page was made.',
  ),
  loopActive: runtime(
    'counter',
    'nodejs_eventloop_active_seconds_total',
    [],
    'Time in which the event loop ran callbacks.',
  ),
  loopIdle: runtime(
    'counter',
    'nodejs_eventloop_idle_seconds_total',
    [],
    'Time in which the event loop waited for events.',
  ),
  buildInfo: runtime('gauge', 'mesher_build_info', ['version', 'node'], 'Always 1; the labels say what is running.'),

  originalRequests: compatibility('counter', 'requests_total', ORIGINAL, 'Calls that were answered.'),
  originalSuccesses: compatibility('counter', 'successes_total', ORIGINAL, 'Calls answered with 2xx.'),
  originalFailures: compatibility('counter', 'failures_total', ORIGINAL, 'Calls answered with 4xx or 5xx.'),
  original4xx: compatibility('counter', 'status_4xx', ORIGINAL, 'Calls answered with 4xx.'),
  original5xx: compatibility('counter', 'status_5xx', ORIGINAL, 'Calls answered with 5xx.'),
  originalLatency: compatibility(
    'summary',
    'request_latency_seconds',
    ORIGINAL,
    'Duration of outbound calls; quantiles are estimated from the buckets of the last 5 to 10 minutes.',
  ),
  originalStartTime: compatibility(
    'gauge',
    'start_time_seconds',
    ORIGINAL,
    'Start of the sidecar in seconds since 1970-01-01 UTC.',
  ),
} as const satisfies Record<string, MetricDefinition>;

import type { MetricDefinition, MetricType } from './metric-family.js';

function policies(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'policies', labels, help };
}

function configuration(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'configuration', labels, help };
}

/** The metrics of policies; part of `docs/reference/metrics.md`. */
export const POLICY_METRICS = {
  events: policies(
    'counter',
    'mesher_events_total',
    ['kind'],
    'Changes of state: breakers, ejections, budgets, configuration.',
  ),
  endpoints: policies(
    'gauge',
    'mesher_endpoints',
    ['service', 'state'],
    'Endpoints of each called service: fit, resting (it refused connections), ejected (its answers were bad), breaker (it is open); the first of these in the order resting, ejected, breaker counts.',
  ),
  outlierEjections: policies(
    'counter',
    'mesher_outlier_ejections_total',
    ['service', 'reason'],
    'Endpoints that were ejected because of their answers.',
  ),
  balancerPanic: policies(
    'gauge',
    'mesher_balancer_panic',
    ['service'],
    '1 while so few endpoints of the service are fit that ejections and open breakers are ignored, else 0.',
  ),
  configReloads: configuration(
    'counter',
    'mesher_config_reloads_total',
    ['result'],
    'Looks at a configuration that may have changed: applied, unchanged (it means the same) or rejected.',
  ),
  configLastReloadSuccess: configuration(
    'gauge',
    'mesher_config_last_reload_success',
    [],
    '1 when the files and config sources say what is in effect, 0 while what they say is refused.',
  ),
  configInfo: configuration('gauge', 'mesher_config_info', ['hash'], 'The configuration in effect; always 1.'),
  configLoadedAt: configuration(
    'gauge',
    'mesher_config_loaded_timestamp_seconds',
    [],
    'When the configuration in effect was taken over, in seconds since 1970.',
  ),
  configNeedsRestart: configuration(
    'gauge',
    'mesher_config_needs_restart',
    [],
    'Keys whose change takes effect with the next start only.',
  ),
  configSourceUp: configuration(
    'gauge',
    'mesher_config_source_up',
    ['source'],
    '1 while the config source answers; otherwise what it said last still counts.',
  ),
  rateLimitRejections: policies(
    'counter',
    'mesher_rate_limit_rejections_total',
    ['direction', 'service', 'limit'],
    'Calls that a rate limit did not let through, by called service and name of the limit.',
  ),
  sharedLimiterUp: policies(
    'gauge',
    'mesher_shared_limiter_up',
    ['direction', 'handler', 'limiter'],
    'Whether the store of shared rate limits answered lately (1) or not (0).',
  ),
  sharedLimiterRequests: policies(
    'counter',
    'mesher_shared_limiter_requests_total',
    ['limiter', 'result'],
    'Questions to the store of shared rate limits: answered, failed, or timeout.',
  ),
  sharedLimiterWithout: policies(
    'counter',
    'mesher_shared_limiter_decisions_without_store_total',
    ['limiter', 'by'],
    'Calls under a shared rate limit that were decided about without its store: local, failOpen, or failClosed.',
  ),
  faultsInjected: policies(
    'counter',
    'mesher_faults_injected_total',
    ['service', 'kind'],
    'Faults injected into calls: delay, abort, or delay-skipped when as many calls as allowed were delayed already.',
  ),
  retriesWithheld: policies(
    'counter',
    'mesher_retries_withheld_total',
    ['service', 'reason'],
    'Failed attempts that were worth another one but were not repeated: attempts, method, body, layer, no-endpoint, retry-after, deadline, budget.',
  ),
  retryBudget: policies(
    'gauge',
    'mesher_retry_budget_available',
    ['service'],
    'Repetitions of calls that the retry budget of the service still allows.',
  ),
  routes: policies(
    'counter',
    'mesher_route_total',
    ['direction', 'service', 'rule', 'subset'],
    'Calls that followed a route rule, by the rule and the part of the instances that it chose.',
  ),
  marks: policies(
    'counter',
    'mesher_marked_total',
    ['direction', 'mark'],
    'Calls that got a mark (servicecomb.match).',
  ),
  egress: policies(
    'counter',
    'mesher_egress_total',
    ['rule', 'decision'],
    'Calls to hosts outside the mesh: allowed by a rule or by the policy (the rule is then empty), denied, or not found by DNS.',
  ),
  transparentRoutes: policies(
    'counter',
    'mesher_transparent_routes_total',
    ['result'],
    'Requests of the transparent mode whose header or cookie says where to go: routed, none (no pair is for their host), refused (not on transparent.routing.allow), malformed, or unresolved (nobody was found there). All but the routed ones went where they were going.',
  ),
  routeContexts: policies(
    'gauge',
    'mesher_transparent_route_contexts',
    [],
    'Request ids whose route is remembered for outbound calls.',
  ),
  spans: policies(
    'counter',
    'mesher_spans_total',
    ['result'],
    'Spans of sampled calls: exported, failed (the collector did not take them), or dropped because the queue was full.',
  ),
  statsdDatagrams: policies(
    'counter',
    'mesher_statsd_datagrams_total',
    ['result'],
    'Datagrams with numbers for StatsD: sent, or failed (the system did not take them).',
  ),
  spansQueued: policies('gauge', 'mesher_spans_queued', [], 'Spans that wait to be exported.'),
  traceContexts: policies(
    'gauge',
    'mesher_trace_contexts',
    [],
    'Request ids whose trace is remembered for outbound calls.',
  ),
  breakerState: policies(
    'gauge',
    'mesher_breaker_state',
    ['direction', 'service', 'name'],
    'State of the circuit breakers that ever opened: 0 closed, 1 half-open, 2 open.',
  ),
  breakerTransitions: policies(
    'counter',
    'mesher_breaker_transitions_total',
    ['direction', 'service', 'name', 'to'],
    'Changes of state of circuit breakers.',
  ),
  breakerRejections: policies(
    'counter',
    'mesher_breaker_rejections_total',
    ['direction', 'service', 'name'],
    'Calls that a circuit breaker refused.',
  ),
  bulkheadInUse: policies(
    'gauge',
    'mesher_bulkhead_in_use',
    ['direction', 'service'],
    'Calls under way, HTTP and gRPC, as the bulkhead of the service counts them.',
  ),
  bulkheadQueue: policies('gauge', 'mesher_bulkhead_queue', ['direction', 'service'], 'Calls that wait for a place.'),
  bulkheadRejections: policies(
    'counter',
    'mesher_bulkhead_rejections_total',
    ['direction', 'service', 'reason'],
    'Calls that a bulkhead refused: full, or timeout after a wait.',
  ),
  concurrencyLimit: policies(
    'gauge',
    'mesher_concurrency_limit',
    ['direction', 'service'],
    'Calls that may be under way, fixed or adaptive.',
  ),
} as const;

export type { Clock, Ports, Random, TimerHandle, Timers } from './ports/ports.js';
export { systemPorts } from './ports/system.js';
export { watchForSuspend } from './ports/suspend-watch.js';
export { within } from './ports/within.js';
export { DirectAnswer, ERRORS, MeshError, Rejection, isMeshError, messageOf } from './errors.js';
export type { ErrorCode, ErrorEntry, Retryable } from './errors.js';
export { errorTrailers } from './grpc/error-trailers.js';
export { grpcStatusOfHttp, httpStatusOfGrpc } from './grpc/http-status.js';
export { decodeGrpcMessage, encodeGrpcMessage } from './grpc/message.js';
export { PUSHBACK_FIELD } from './grpc/pushback.js';
export { GRPC_STATUS, grpcStatusName, parseGrpcStatus } from './grpc/status.js';
export { formatGrpcTimeout, GRPC_TIMEOUT_FIELD, parseGrpcTimeout } from './grpc/timeout.js';
export { FieldBundle, Invocation } from './invocation.js';
export type {
  AnswerView,
  AttemptFailure,
  CallProtocol,
  CallView,
  Destination,
  Direction,
  Field,
  MirrorOrder,
  Outcome,
} from './invocation.js';
export type { Policy, PolicyContext, PolicyFactory } from './chain/policy.js';
export type { HealthChecker, HealthResult, LocalTarget } from './health/health-checker.js';
export { LocalGate } from './health/local-gate.js';
export { LocalDestination } from './chain/local-destination.js';
export type { Observation } from './chain/observation.js';
export { ContextTable } from './telemetry/tracing/context-table.js';
export { HostIndex, hostPatternProblem } from './routing/egress/host-pattern.js';
export { ForbiddenAddresses, isForbiddenName } from './routing/egress/forbidden-address.js';
export type { EgressPlans } from './routing/egress/egress-plans.js';
export type { EgressPlan } from './routing/egress/egress-plan.js';
export { addressFor } from './registry/instance-choice.js';
export { compilePattern } from './routing/pattern.js';
export type { Pattern } from './routing/pattern.js';
export type { Fallback } from './resilience/fallback/fallback.js';
export type { SharedGrant, SharedLimit, SharedLimiter } from './resilience/rate-limit/shared-limiter.js';
export type { ConfigSource, SourceSnapshot } from './config/live/config-source.js';
export { ConfigurationReloader } from './config/live/configuration-reloader.js';
export type { ConfigurationState, ReloadResult, ReloaderParts } from './config/live/configuration-reloader.js';
export { configPaths, type ConfigPlace } from './config/live/files-fingerprint.js';
export { FolderWatch } from './config/live/folder-watch.js';
export { LiveConfiguration } from './config/live/live-configuration.js';
export { locateMistake } from './config/live/locate-mistake.js';
export { makeConfigSource } from './config/live/make-config-source.js';
export type { ChosenSource } from './config/live/make-config-source.js';
export { reloadSchema } from './config/live/reload-options.js';
export type { ReloadOptions } from './config/live/reload-options.js';
export { RESTART_KEYS, restartKeyOf } from './config/live/restart-keys.js';
export type { RestartKey } from './config/live/restart-keys.js';
export type {
  ConfigChange,
  PlacedValue,
  RestartNeed,
  RunningConfiguration,
} from './config/live/running-configuration.js';
export { SourceFollower } from './config/live/source-follower.js';
export type { SourceState } from './config/live/source-follower.js';
export type { SourceLayer } from './config/layers/config-sources.js';
export { configClientSchema } from './config/sections/config-client.js';
export type { RouteChoice } from './routing/route-choice.js';
export type { Subset } from './routing/subset.js';
export { Explanation } from './explain/explanation.js';
export type { ExplainStep } from './explain/explanation.js';
export type { CallExplanation, ExplainedAnswer } from './explain/explainer.js';
export { readExplainRequest } from './explain/explain-request.js';
export type { ExplainRequest } from './explain/explain-request.js';
export { GivenDiscovery, readGivenInstances } from './explain/given-instances.js';
export type { GivenInstances } from './explain/given-instances.js';
export { MeshEvents } from './telemetry/mesh-events.js';
export type { MeshEvent, MeshEventKind } from './telemetry/mesh-events.js';
export type { ExporterSettings, SpanExporter, SpanExporterFactory } from './telemetry/tracing/span-exporter.js';
export type { SpanEvent, SpanKind, SpanRecord, TagValue } from './telemetry/tracing/span-record.js';
export { PolicyMetrics } from './telemetry/policy-metrics.js';
export type { CallHandler, Verdict } from './chain/call-handler.js';
export { makeInstance } from './registry/instance.js';
export type { Instance, InstanceAddress, InstanceStatus } from './registry/instance.js';
export { Endpoint } from './registry/endpoint.js';
export type { EndpointProtocol } from './registry/endpoint.js';
export { buildIpIndex } from './registry/ip-index.js';
export type { IpIndex } from './registry/ip-index.js';
export { canonicalIp } from './registry/ip-address.js';
export type {
  Lease,
  Registrator,
  Registry,
  RegistryState,
  ServiceDiscovery,
  ServiceQuery,
  ServiceSnapshot,
} from './registry/contracts.js';
export { REGISTRY_EVENTS, RegistryEventCounter } from './registry/registry-events.js';
export type { RegistryCounts, RegistryEvent } from './registry/registry-events.js';
export { connectionTrouble } from './registry/remote/connection-trouble.js';
export type { TlsKeyNames } from './registry/remote/connection-trouble.js';
export { KEPT_INSTANCE_FIELDS } from './registry/remote/kept-instance-fields.js';
export { KnownInstances } from './registry/remote/known-instances.js';
export type { VanishRules } from './registry/remote/known-instances.js';
export { areSameInstances, isSameInstance, readingInstances } from './registry/remote/listed-instances.js';
export type { ListedInstances } from './registry/remote/listed-instances.js';
export { findRefusing } from './registry/remote/refusing-instances.js';
export { readEndpoint, writeEndpoint } from './registry/remote/endpoint-text.js';
export { ProblemList } from './registry/remote/problem-list.js';
export { excerptOf, itemsOf, membersOf, textOf, textsOf } from './registry/remote/wire-values.js';
export { registerOrGiveUp, registerUntilDone } from './registry/remote/registering.js';
export type { RefusalKind, RegisteringTask } from './registry/remote/registering.js';
export { RemoteDiscovery } from './registry/remote/remote-discovery.js';
export type { RemoteDiscoveryParts, RemoteFinder, RemoteService } from './registry/remote/remote-discovery.js';
export { ChangeSignal } from './registry/remote/change-signal.js';
export { LiveTls } from './registry/remote/live-tls.js';
export { readRegistryTls } from './registry/remote/tls-files.js';
export type { RegistryTls } from './registry/remote/tls-files.js';
export { Alarm, backoff, jittered, pause } from './ports/waiting.js';
export type { RetryPauses } from './ports/waiting.js';
export { parseJsonInSlices } from './slices/parse-json.js';
export { atOnce, inSlices, ITEMS_PER_SLICE, nextTurn } from './slices/slices.js';
export type { NextTurn, Steps } from './slices/slices.js';
export type { DestinationResolver, PeerView, SourceIdentity, SourceResolver } from './resolver/contracts.js';
export { registryClientOf } from './plugin/registry-client.js';
export type { RegistryClient } from './plugin/registry-client.js';
export { definePlugin, isPlugin } from './plugin/define-plugin.js';
export type {
  AnyPlugin,
  ConfigClient,
  PluginContext,
  PluginDefinition,
  PluginKind,
  PluginKinds,
} from './plugin/define-plugin.js';
export type { Infer, Schema } from './config/schema/schema.js';
export { silentLogger } from './telemetry/logger.js';
export type { LogFields, Logger } from './telemetry/logger.js';
export {
  CallMetrics,
  COUNTED_CODES,
  DEFAULT_MAX_SERVICES,
  OTHER_SERVICE,
  STATUS_CLASSES,
  UNKNOWN_SERVICE,
} from './telemetry/call-metrics.js';
export type { CallMetricsOptions, MetricsSlot, StatusClass } from './telemetry/call-metrics.js';
export type { ServiceIdentity } from './telemetry/compatibility-families.js';
export type { ConnectionStats, ConnectionStatsSource } from './telemetry/connection-metrics.js';
export type { HealthStatsSource } from './telemetry/health-metrics.js';
export type { Http2Numbers, Http2StatsSource } from './telemetry/http2-metrics.js';
export { DURATION_BUCKETS_SECONDS } from './telemetry/duration-buckets.js';
export { METRICS } from './telemetry/metric-catalog.js';
export { metricFamilies } from './telemetry/metric-families.js';
export type { MetricSources } from './telemetry/metric-families.js';
export { SmallFamily } from './telemetry/metric-family.js';
export type {
  Labels,
  MetricDefinition,
  MetricFamily,
  MetricGroup,
  MetricType,
  Sample,
} from './telemetry/metric-family.js';
export { MetricsPage } from './telemetry/metrics-page.js';
export type { MetricsText } from './telemetry/metrics-page.js';
export { renderMetricsReference } from './telemetry/metrics-reference.js';
export type { BuildInfo } from './telemetry/process-metrics.js';
export { MAX_REASONS, ReasonCounts } from './telemetry/reason-counts.js';
export type { RegistryStatsSource } from './telemetry/registry-metrics.js';

// Configuration.
export { s } from './config/schema/combinators.js';
export { schemaDefaults } from './config/schema/defaults.js';
export { formatBytes, parseBytes } from './config/schema/bytes.js';
export { formatDuration, parseDuration } from './config/schema/duration.js';
export { formatHostPort, parseHostPort } from './config/schema/address.js';
export type { HostPort } from './config/schema/address.js';
export type { JsonSchema, Notes } from './config/schema/schema.js';
export type { EffectiveValue } from './config/schema/read-context.js';
export { NETRAMESH_VARIABLES } from './config/layers/netramesh-variables.js';
export type { NetrameshVariable } from './config/layers/netramesh-variables.js';
export { loadConfiguration } from './config/load.js';
export type { ConfigurationSources, LoadedConfiguration } from './config/load.js';
export { MeshDocument } from './config/document.js';
export type { Sections } from './config/compose-sections.js';
export { configurationJsonSchema, renderConfigurationReference } from './config/describe-configuration.js';
export { formatOrigin, formatProblems } from './config/problem.js';
export type { Notice, NoticeKind, Origin, Problem } from './config/problem.js';
export { readBootstrap, resolveConfDir } from './config/bootstrap.js';
export type { Bootstrap, BootstrapSources, LogLevel, MeshMode } from './config/bootstrap.js';
export { parseServicePorts, parseSpecificAddress } from './config/service-ports.js';
export type { ServicePort } from './config/service-ports.js';
export { markProblem } from './config/sections/header-edits.js';
export { instanceHostname } from './config/sections/service.js';
export type { ServiceConfig } from './config/sections/service.js';
export type { ProtocolConfig } from './config/sections/protocols.js';
export type { RegistryConfig } from './config/sections/registry.js';
export { healthCheckTimes } from './config/sections/health.js';
export type { LocalHealthCheckConfig } from './config/sections/health.js';
export type { AdminConfig, MesherConfig, PluginChoice, TcpListenerConfig } from './config/sections/mesher.js';

// Chassis.
export { Chassis } from './chassis.js';
export type { ChassisSettings } from './chassis.js';
export { CHASSIS_SECTIONS } from './composition/chassis-sections.js';
export { CONTEXT_FIELD, SOURCE_FIELD, sourceOfContext } from './chain/caller-marks.js';
export { TIMEOUT_FIELD } from './resilience/timeout/deadline.js';
export { ATTEMPT_FIELD, BUDGET_FIELD, RETRIES_FIELD } from './resilience/retry/retry-layers.js';
export type { BackoffRule, RetryRule } from './resilience/retry/retry-rule.js';
export { HANDLER_NAMES } from './chain/handler-names.js';
export { loadPlugins } from './plugin/load-plugins.js';
export { isInstalledPackage, looksLikeModule } from './plugin/locate-module.js';
export type { InstalledPlugins } from './plugin/installed-plugins.js';
export { PluginCatalog } from './plugin/plugin-catalog.js';
export { pluginSections } from './plugin/plugin-settings.js';
export type { RegistryChoice } from './registry/choose-registry.js';
export { ServiceDirectory } from './registry/service-directory.js';
export { Candidates } from './registry/candidates.js';
export { ServicePlan } from './registry/service-plan.js';
export { stateOf as endpointState } from './registry/endpoint-metrics.js';
export type { EndpointState } from './registry/endpoint-metrics.js';
export { protocolOfAddress, whyLeftOut } from './registry/instance-choice.js';
export type { LeftOut } from './registry/instance-choice.js';
export type { BalancerFactory, LoadBalancer } from './loadbalance/load-balancer.js';
export { LiveBalancing, checkBalancing } from './loadbalance/balancing.js';
export type { Balance, Balancing } from './loadbalance/balancing.js';
export { BalanceReports } from './loadbalance/balance-reports.js';
export { Gate } from './loadbalance/gate.js';
export { ownMetadata } from './loadbalance/here.js';
export { roundRobin } from './loadbalance/round-robin.js';
export { PLAIN_RULES, steadyBalancing } from './loadbalance/steady-balancing.js';
export type { SteadySettings } from './loadbalance/steady-balancing.js';

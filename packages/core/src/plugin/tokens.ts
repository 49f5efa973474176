import type { InjectionToken } from 'tsyringe';
import type { Attempts } from '../chain/attempts.js';
import type { CallHandler } from '../chain/call-handler.js';
import type { CallRecorder } from '../chain/call-recorder.js';
import type { AssembledChain } from '../chain/handler-names.js';
import type { LocalPorts } from '../chain/local-ports.js';
import type { RequestIds } from '../chain/request-ids.js';
import type { LiveConfiguration } from '../config/live/live-configuration.js';
import type { Explainer } from '../explain/explainer.js';
import type { LocalGate } from '../health/local-gate.js';
import type { Balancing } from '../loadbalance/balancing.js';
import type { CallProtocol } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { ServiceDiscovery } from '../registry/contracts.js';
import type { ServiceDirectory } from '../registry/service-directory.js';
import type { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import type { RetryPlanner } from '../resilience/retry/retry-planner.js';
import type { DestinationResolver, SourceResolver } from '../resolver/contracts.js';
import type { CallMetrics } from '../telemetry/call-metrics.js';
import type { Logger } from '../telemetry/logger.js';
import type { MeshEvents } from '../telemetry/mesh-events.js';
import type { PolicyMetrics } from '../telemetry/policy-metrics.js';
import type { Tracing } from '../telemetry/tracing/tracing.js';
import type { Egress } from '../routing/egress/egress.js';
import type { InstalledPlugins } from './installed-plugins.js';

/** A name in the container together with the type of what is behind it. */
export type Token<T> = InjectionToken<T> & symbol;

function token<T>(name: string): Token<T> {
  return Symbol(`mesher.${name}`);
}

/** What the container of a chassis holds. */
export const TOKENS = {
  ports: token<Ports>('ports'),
  logger: token<Logger>('logger'),
  configuration: token<LiveConfiguration>('configuration'),
  discovery: token<ServiceDiscovery>('discovery'),
  balancing: token<Balancing>('balancing'),
  directory: token<ServiceDirectory>('directory'),
  metrics: token<CallMetrics>('metrics'),
  recorder: token<CallRecorder>('recorder'),
  events: token<MeshEvents>('events'),
  policyMetrics: token<PolicyMetrics>('policy-metrics'),
  tracing: token<Tracing>('tracing'),
  plugins: token<InstalledPlugins>('plugins'),
  attempts: token<Attempts>('attempts'),
  retries: token<RetryPlanner>('retries'),
  deadlines: token<CallDeadlines>('deadlines'),
  egress: token<Egress>('egress'),
  requestIds: token<RequestIds>('request-ids'),
  localGate: token<LocalGate>('local-gate'),
  localPorts: token<LocalPorts>('local-ports'),
  consumerChain: token<AssembledChain>('consumer-chain'),
  providerChain: token<AssembledChain>('provider-chain'),
  destinationResolvers: token<Readonly<Record<CallProtocol, DestinationResolver>>>('destination-resolvers'),
  sourceResolvers: token<readonly SourceResolver[]>('source-resolvers'),
  outbound: token<CallHandler>('outbound'),
  inbound: token<CallHandler>('inbound'),
  explainer: token<Explainer>('explainer'),
} as const;

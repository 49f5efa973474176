export type { Clock, Ports, Random, TimerHandle, Timers } from './ports/ports.js';
export { systemPorts } from './ports/system.js';
export { ERRORS, MeshError, Rejection, isMeshError } from './errors.js';
export type { ErrorCode, ErrorEntry, Retryable } from './errors.js';
export { FieldBundle, Invocation } from './invocation.js';
export type { AttemptFailure, CallProtocol, CallView, Destination, Direction, Outcome } from './invocation.js';
export type { Policy } from './chain/policy.js';
export type { CallHandler, Verdict } from './chain/call-handler.js';
export { makeInstance } from './registry/instance.js';
export type { Instance, InstanceAddress, InstanceStatus } from './registry/instance.js';
export { Endpoint } from './registry/endpoint.js';
export { buildIpIndex } from './registry/ip-index.js';
export type { IpIndex } from './registry/ip-index.js';
export type {
  Lease,
  Registrator,
  Registry,
  RegistryState,
  ServiceDiscovery,
  ServiceQuery,
  ServiceSnapshot,
} from './registry/contracts.js';
export type { DestinationResolver, PeerView, SourceIdentity, SourceResolver } from './resolver/contracts.js';
export { definePlugin, isPlugin } from './plugin/define-plugin.js';
export type { AnyPlugin, PluginContext, PluginDefinition, PluginKind, PluginKinds } from './plugin/define-plugin.js';
export type { Infer, Schema } from './config/schema/schema.js';
export { silentLogger } from './telemetry/logger.js';
export type { LogFields, Logger } from './telemetry/logger.js';

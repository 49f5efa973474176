import { instanceHostname, writeEndpoint, type Instance, type InstanceStatus, type RegistryClient } from '@mesher/core';
import { textOf, textsOf, UNKNOWN_PLACE, type WireInstance, type WireService } from '../client/wire-model.js';

/** What is registered besides what an instance says of itself. */
export interface OwnFacts {
  readonly service: RegistryClient['service'];
  readonly region: RegistryClient['region'];
  /** `full` lets other applications find the service. */
  readonly scope: 'full' | 'app';
  readonly framework: { readonly name: string; readonly version: string };
  readonly registerBy: 'SDK' | 'SIDECAR';
  /** Between heartbeats, in milliseconds. */
  readonly heartbeatMs: number;
  /** Heartbeats that may be missing; with the interval this makes the lease. */
  readonly heartbeatTimes: number;
}

/** Longest texts that service-center takes. */
const MAX = { alias: 128, description: 256, hostName: 64, framework: 64 } as const;

/** The service as it is registered. */
export function describeService(self: Instance, facts: OwnFacts, schemas: readonly string[]): WireService {
  const { service, scope, framework, registerBy } = facts;
  const isFull = scope === 'full';
  const fullName = `${self.app}:${self.service}`;
  // What nobody asked for is left out rather than refused.
  const alias = service.alias ?? (isFull && fullName.length <= MAX.alias ? fullName : undefined);
  return {
    appId: self.app,
    serviceName: self.service,
    version: self.version,
    environment: service.environment ?? '',
    ...(alias === undefined ? {} : { alias }),
    ...(service.description === undefined ? {} : { description: service.description.slice(0, MAX.description) }),
    ...(service.level === undefined ? {} : { level: service.level }),
    status: 'UP',
    schemas: [...new Set([...service.schemas, ...schemas])],
    paths: service.paths.flatMap(({ path, property }) => (path === undefined ? [] : [pathOf(path, property)])),
    properties: { ...Object.fromEntries(service.properties), allowCrossApp: String(isFull) },
    registerBy,
    framework: { name: framework.name, version: framework.version.slice(0, MAX.framework) },
  };
}

/** `property` are texts by name; a YAML file may hold anything. */
function pathOf(path: string, property: unknown): object {
  const texts = textsOf(property);
  return Object.keys(texts).length === 0 ? { Path: path } : { Path: path, Property: texts };
}

/** The instance as it is registered. */
export function describeInstance(
  self: Instance,
  instanceId: string,
  status: InstanceStatus,
  facts: OwnFacts,
): WireInstance {
  const { name = '', availableZone = '' } = facts.region;
  const region = name || UNKNOWN_PLACE;
  const hostName = instanceHostname(facts.service.hostname).slice(0, MAX.hostName);
  return {
    instanceId,
    hostName: textOf(hostName.trim()) ?? 'localhost',
    endpoints: Array.from(self.addresses, ([protocol, address]) => writeEndpoint(protocol, address)),
    status,
    version: self.version,
    properties: { ...self.metadata },
    healthCheck: {
      mode: 'push',
      interval: Math.max(1, Math.round(facts.heartbeatMs / 1000)),
      times: facts.heartbeatTimes,
    },
    ...(name === '' && availableZone === ''
      ? {}
      : { dataCenterInfo: { name: region, region, availableZone: availableZone || UNKNOWN_PLACE } }),
  };
}

import type { RegistryClient } from '@mesher/core';

/** Where service-center listens when nobody says where. */
const DEFAULT_ADDRESS = 'http://127.0.0.1:30100';
/** How long a request may take when nobody says so: longer than an election of its store. Milliseconds. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** As in go-chassis, in milliseconds. */
const DEFAULT_HEARTBEAT_MS = 30_000;

/** What both halves of the registry need: `registrator.*` or `serviceDiscovery.*` over the keys of the registry as a whole. */
interface Half {
  readonly addresses: readonly string[];
  readonly scope: 'full' | 'app';
  readonly autodiscovery: boolean;
  readonly timeoutMs: number;
  /** Tenant. */
  readonly domain: string;
}

export interface RegisteringHalf extends Half {
  readonly heartbeatMode: 'non-keep-alive' | 'ping-pong';
  readonly heartbeatMs: number;
}

export interface FindingHalf extends Half {
  readonly refreshIntervalMs: number;
  readonly watch: boolean;
  readonly healthCheck: boolean;
}

/** Settings of registration. */
export function registeringHalf({ registry }: RegistryClient): RegisteringHalf {
  const { registrator } = registry;
  return {
    ...half(registry, registrator, registry.serviceDiscovery.address),
    heartbeatMode: registrator.heartbeat.mode ?? registry.heartbeat.mode ?? 'non-keep-alive',
    heartbeatMs: registrator.heartbeat.interval ?? registry.heartbeat.interval ?? DEFAULT_HEARTBEAT_MS,
  };
}

/** Settings of discovery. */
export function findingHalf({ registry }: RegistryClient): FindingHalf {
  const { serviceDiscovery } = registry;
  return {
    ...half(registry, serviceDiscovery, registry.registrator.address),
    refreshIntervalMs: serviceDiscovery.refreshInterval ?? registry.refreshInterval,
    watch: serviceDiscovery.watch ?? registry.watch,
    healthCheck: serviceDiscovery.healthCheck ?? registry.healthCheck ?? false,
  };
}

/** True when both halves speak with the same service-center in the same way. */
export function areSame(one: Half, other: Half): boolean {
  return (
    one.addresses.join() === other.addresses.join() &&
    one.timeoutMs === other.timeoutMs &&
    one.domain === other.domain &&
    one.autodiscovery === other.autodiscovery
  );
}

type Registry = RegistryClient['registry'];

function half(
  registry: Registry,
  own: Pick<Registry, 'address' | 'timeout' | 'tenant' | 'autodiscovery'> & {
    readonly scope: Registry['scope'] | undefined;
  },
  otherAddresses: readonly string[] | undefined,
): Half {
  return {
    addresses: own.address ?? registry.address ?? otherAddresses ?? [DEFAULT_ADDRESS],
    scope: own.scope ?? registry.scope,
    autodiscovery: own.autodiscovery ?? registry.autodiscovery ?? false,
    timeoutMs: own.timeout ?? registry.timeout ?? DEFAULT_TIMEOUT_MS,
    domain: own.tenant ?? registry.tenant ?? 'default',
  };
}

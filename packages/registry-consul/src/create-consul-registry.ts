import {
  RegistryEventCounter,
  type PluginContext,
  type Registry,
  type RegistryClient,
  type RemoteDiscovery,
} from '@mesher/core';
import type { ConsulClient } from './client/consul-client.js';
import { openClient } from './client/open-client.js';
import { discoverInConsul } from './finding/consul-discovery.js';
import { ConsulFinder } from './finding/consul-finder.js';
import type { ConsulOptions } from './options.js';
import { ConsulRegistrator } from './registering/consul-registrator.js';

export interface ConsulRegistry extends Registry {
  readonly discovery: RemoteDiscovery;
  readonly registrator: ConsulRegistrator;
}

/** The lease when nobody says how long: a heartbeat every 10 s. Milliseconds. */
const DEFAULT_TTL_MS = 30_000;
/** A lease survives two heartbeats that are lost. */
const BEATS_PER_TTL = 3;

type Context = Pick<PluginContext, 'ports' | 'logger' | 'confDir'>;

/**
 * A registry that is Consul. Nothing is asked before the first watch or registration. `discovery.close()` ends both halves.
 * @throws ConsulError CONSUL_SETTING for addresses, TLS files or a token file that cannot be used
 */
export async function createConsulRegistry(
  options: ConsulOptions,
  client: RegistryClient,
  context: Context,
): Promise<ConsulRegistry> {
  const { registry, ssl } = client;
  const counter = new RegistryEventCounter();
  const { here, there } = addressesOf(client);
  const open = (addresses: readonly string[]): Promise<ConsulClient> =>
    openClient({ options, addresses, ssl, maxHeld: options.maxWatches }, context);
  const toFind = await open(here);
  const isOne = options.address !== undefined || here.join() === there.join();
  const toRegister = isOne ? toFind : await open(there);
  const registrator = makeRegistrator(options, client, context, toRegister, counter);
  const environment = options.sameEnvironment ? emptyAsUnset(client.service.environment) : undefined;
  const refreshIntervalMs = registry.serviceDiscovery.refreshInterval ?? registry.refreshInterval;
  const times = { waitMs: options.wait, minIntervalMs: options.minInterval, refreshIntervalMs };
  const finder = new ConsulFinder(
    toFind,
    context.ports,
    context.logger,
    {
      ...times,
      environment,
      warning: options.warning,
      near: options.near,
      maxWatches: options.maxWatches,
      healthCheck: registry.serviceDiscovery.healthCheck ?? registry.healthCheck ?? false,
      emptyGraceMs: options.emptyGrace,
      healthCheckGraceMs: options.healthCheckGrace,
      probeIntervalMs: options.probeInterval,
      probeTimeoutMs: options.probeTimeout,
      pauses: options,
    },
    counter,
  );
  const discovery = discoverInConsul({
    ...{ client: toFind, finder, ports: context.ports },
    index: registry.autoIPIndex ? { ...times, environment, emptyGraceMs: options.emptyGrace } : undefined,
    registrationProblems: () => registrator.problems,
    onClose: async () => {
      await registrator.close();
      if (!isOne) toRegister.close();
    },
  });
  context.logger.info({ address: toFind.origin }, `Consul registry: ${toFind.origin}`);
  return { discovery, registrator };
}

/** @throws ConsulError CONSUL_SETTING for what {@link createConsulRegistry} refuses; nothing is asked */
export async function checkConsulSettings(
  options: ConsulOptions,
  client: RegistryClient,
  context: Context,
): Promise<void> {
  for (const addresses of Object.values(addressesOf(client))) {
    (await openClient({ options, addresses, ssl: client.ssl, maxHeld: 1 }, context)).close();
  }
}

/** Where services are found, and where the own one is registered. */
function addressesOf({ registry }: RegistryClient): { here: readonly string[]; there: readonly string[] } {
  const here = registry.serviceDiscovery.address ?? registry.address ?? registry.registrator.address ?? [];
  return { here, there: registry.registrator.address ?? here };
}

function makeRegistrator(
  options: ConsulOptions,
  { registry, region, service }: RegistryClient,
  { ports, logger }: Context,
  client: ConsulClient,
  counter: RegistryEventCounter,
): ConsulRegistrator {
  const interval = registry.registrator.heartbeat.interval ?? registry.heartbeat.interval;
  const ttlMs = options.ttl ?? (interval === undefined ? DEFAULT_TTL_MS : interval * BEATS_PER_TTL);
  const heartbeatMs = ttlMs / BEATS_PER_TTL;
  return new ConsulRegistrator({
    ...{ client, ports, logger, counter, heartbeatMs },
    pauses: options,
    onStop: options.onStop,
    // A heartbeat that is under way for as long as that is late in any case.
    beatTimeoutMs: Math.min(options.requestTimeout, heartbeatMs),
    stopTimeoutMs: options.stopTimeout,
    settings: {
      place: { environment: service.environment, region: region.name, zone: region.availableZone },
      check: {
        kind: options.check,
        ttlMs,
        url: options.checkUrl,
        address: options.checkAddress,
        intervalMs: options.checkInterval,
        timeoutMs: options.checkTimeout,
        deregisterAfterMs: options.deregisterCriticalAfter,
      },
      tags: options.tags ?? [],
      enableTagOverride: options.enableTagOverride,
      warningWeight: options.warningWeight,
    },
  });
}

function emptyAsUnset(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

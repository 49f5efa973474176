import { readFileSync } from 'node:fs';
import {
  LiveTls,
  type PluginContext,
  ProblemList,
  readRegistryTls,
  type Registry,
  type RegistryClient,
  RegistryEventCounter,
  type RemoteDiscovery,
} from '@mesher/core';
import { baseOf } from './client/addresses.js';
import { followNodes } from './client/node-discovery.js';
import { OwnIdentity } from './client/own-identity.js';
import { ServiceCenter } from './client/service-center.js';
import { messageOf, ServiceCenterError } from './client/service-center-error.js';
import { AppCatalog } from './finding/app-catalog.js';
import { ContractIndex } from './finding/contract-index.js';
import { Finder } from './finding/finder.js';
import { discoverInServiceCenter } from './finding/service-center-discovery.js';
import { ServiceTags } from './finding/service-tags.js';
import { Watcher } from './finding/watcher.js';
import { areSame, findingHalf, registeringHalf, type FindingHalf, type RegisteringHalf } from './halves.js';
import type { ServiceCenterOptions } from './options.js';
import { SchemaFiles } from './registering/schema-files.js';
import { ServiceCenterRegistrator } from './registering/service-center-registrator.js';

export interface ServiceCenterRegistry extends Registry {
  readonly discovery: RemoteDiscovery;
  readonly registrator: ServiceCenterRegistrator;
  /** Which services have which contracts; undefined without `autoSchemaIndex`. */
  readonly contracts: ContractIndex | undefined;
}

/**
 * A registry that is a service-center. Nothing is asked before the first watch or registration, but for its nodes with `autodiscovery`.
 * `discovery.close()` ends both halves.
 * @throws ServiceCenterError SC_SETTING for addresses or TLS files that cannot be used
 */
export async function createServiceCenterRegistry(
  options: ServiceCenterOptions,
  client: RegistryClient,
  context: Pick<PluginContext, 'ports' | 'logger' | 'confDir'>,
): Promise<ServiceCenterRegistry> {
  refuseCiphers(client);
  const registering = registeringHalf(client);
  const finding = findingHalf(client);
  const isSecure = isTlsUsed([registering, finding]);
  const tls = await openTls(client, context.confDir, isSecure);
  if (isSecure) tls.follow(context.ports, options.tlsReload, context.logger);
  const makeCenter = (half: RegisteringHalf | FindingHalf): ServiceCenter =>
    new ServiceCenter(
      {
        ...{ addresses: half.addresses, domain: half.domain, timeoutMs: half.timeoutMs, tls },
        project: client.registry.project ?? client.credentials.project ?? 'default',
        maxResponseBytes: options.maxResponseBytes,
        quarantineMs: options.quarantine,
        socketSilenceMs: options.socketSilence,
        account: client.credentials.account,
      },
      context.ports,
    );
  const toRegister = makeCenter(registering);
  const isOne = areSame(registering, finding);
  const toFind = isOne ? toRegister : makeCenter(finding);
  const identity = new OwnIdentity();
  // Another service-center does not know under which id this one has us.
  const identityThere = isOne ? identity : new OwnIdentity();
  const counter = new RegistryEventCounter();
  const registrator = makeRegistrator(options, client, context, registering, toRegister, identity, counter);
  const contracts = makeContracts(client, context, toFind);
  const end = new AbortController();
  for (const [center, half] of isOne
    ? [[toFind, finding] as const]
    : ([
        [toFind, finding],
        [toRegister, registering],
      ] as const)) {
    if (!half.autodiscovery) continue;
    const isTls = half.addresses[0]?.startsWith('https:') === true;
    const { ports, logger } = context;
    void followNodes(center, client.region.availableZone, isTls, finding.refreshIntervalMs, ports, logger, end.signal);
  }
  const onClose = async (): Promise<void> => {
    end.abort();
    await Promise.all([registrator.close(), contracts?.close(), tls.close()]);
    if (!isOne) toRegister.close();
  };
  const parts = { center: toFind, identity: identityThere, registrator, counter, tls, onClose };
  const discovery = makeDiscovery(options, client, context, finding, parts);
  context.logger.info({ addresses: finding.addresses }, `service-center registry: ${finding.addresses.join(', ')}`);
  return { discovery, registrator, contracts };
}

/** @throws ServiceCenterError SC_SETTING for what {@link createServiceCenterRegistry} refuses; nothing is asked */
export async function checkServiceCenterSettings(
  _options: ServiceCenterOptions,
  client: RegistryClient,
  { confDir }: Pick<PluginContext, 'confDir'>,
): Promise<void> {
  refuseCiphers(client);
  const halves = [registeringHalf(client), findingHalf(client)];
  for (const address of halves.flatMap(({ addresses }) => addresses)) baseOf(address);
  await (await openTls(client, confDir, isTlsUsed(halves))).close();
}

function isTlsUsed(halves: readonly (RegisteringHalf | FindingHalf)[]): boolean {
  return halves.some(
    ({ addresses, autodiscovery }) => autodiscovery || addresses.some((address) => /^https:/i.test(address.trim())),
  );
}

/** A password that was sent as it is encrypted would be a wrong one, and three of them block the account for a quarter of an hour. */
function refuseCiphers({ credentials }: RegistryClient): void {
  const { cipher, account } = credentials;
  if (account.password === undefined || cipher === undefined || cipher === 'default') return;
  const fix = "set it to a placeholder such as '${SC_PASSWORD||}', put the plain password there, and leave cipher out";
  throw new ServiceCenterError(
    'SC_SETTING',
    `servicecomb.credentials.cipher: there is no cipher plugin '${cipher}' to decrypt servicecomb.credentials.account.password; ${fix}`,
  );
}

async function openTls({ ssl }: RegistryClient, confDir: string, isSecure: boolean): Promise<LiveTls> {
  const refuse = (problem: string): ServiceCenterError => new ServiceCenterError('SC_SETTING', problem);
  try {
    return await LiveTls.open(() => readRegistryTls(ssl, confDir, refuse), isSecure);
  } catch (error) {
    if (error instanceof ServiceCenterError) throw error;
    throw refuse(`ssl.registry.Consumer: certificate, key and password do not go together: ${messageOf(error)}`);
  }
}

function makeRegistrator(
  options: ServiceCenterOptions,
  { service, region, registry }: RegistryClient,
  { ports, logger, confDir }: Pick<PluginContext, 'ports' | 'logger' | 'confDir'>,
  { scope, heartbeatMode, heartbeatMs }: RegisteringHalf,
  center: ServiceCenter,
  identity: OwnIdentity,
  counter: RegistryEventCounter,
): ServiceCenterRegistrator {
  return new ServiceCenterRegistrator(center, identity, ports, logger, {
    facts: {
      ...{ service, region, scope, heartbeatMs },
      framework: { name: 'Mesher', version: ownVersion() },
      registerBy: options.registerBy,
      heartbeatTimes: options.heartbeatTimes,
    },
    heartbeatMode,
    pauses: options,
    onEvent: counter.add,
    schemas: registry.uploadSchema === true ? new SchemaFiles(confDir, service.name, logger) : undefined,
  });
}

interface DiscoveryNeeds {
  readonly center: ServiceCenter;
  /** As the one who asks. */
  readonly identity: OwnIdentity;
  readonly registrator: ServiceCenterRegistrator;
  readonly counter: RegistryEventCounter;
  readonly tls: LiveTls;
  readonly onClose: () => Promise<void>;
}

function makeDiscovery(
  options: ServiceCenterOptions,
  { service, registry }: RegistryClient,
  { ports, logger }: Pick<PluginContext, 'ports' | 'logger' | 'confDir'>,
  { scope, refreshIntervalMs, watch, healthCheck }: FindingHalf,
  { center, identity, registrator, counter, tls, onClose }: DiscoveryNeeds,
): RemoteDiscovery {
  const environment = service.environment ?? '';
  const catalog = scope === 'full' ? new AppCatalog(center, environment, ports.clock) : undefined;
  const finder = new Finder(center, identity, catalog, ports, logger, counter, {
    ...{ app: service.app, environment, refreshIntervalMs, healthCheck, pauses: options },
    fullRefreshMs: options.fullRefresh,
    batchSize: options.batchSize,
    hintDelayMs: options.hintDelay,
    emptyGraceMs: options.emptyGrace,
    healthCheckGraceMs: options.healthCheckGrace,
    probeIntervalMs: options.probeInterval,
    probeTimeoutMs: options.probeTimeout,
    tags: options.serviceTags ? new ServiceTags(center, ports.clock, logger, options.fullRefresh / 2) : undefined,
  });
  const problems = new ProblemList();
  // A registry that only registers has nobody to tell.
  const isFinding = registry.serviceDiscovery.disabled !== true && registry.discovery.disabled !== true;
  const watcher =
    watch && isFinding
      ? new Watcher(center, identity, finder, ports, logger, options, problems.add, counter)
      : undefined;
  watcher?.start();
  return discoverInServiceCenter({
    ...{ center, finder, ports, logger, environment, refreshIntervalMs, problems },
    autoIpIndex: registry.autoIPIndex,
    ownProblems: () => [...registrator.problems, ...(tls.trouble === undefined ? [] : [`TLS: ${tls.trouble}`])],
    onClose: async () => void (await Promise.all([watcher?.close(), onClose()])),
  });
}

function makeContracts(
  { registry, service }: RegistryClient,
  { ports, logger }: Pick<PluginContext, 'ports' | 'logger'>,
  center: ServiceCenter,
): ContractIndex | undefined {
  const { disabled, refreshInterval = registry.refreshInterval } = registry.contractDiscovery;
  if (registry.autoSchemaIndex !== true || disabled === true) return undefined;
  const contracts = new ContractIndex(center, service.environment ?? '', refreshInterval, ports, logger);
  void contracts.start();
  return contracts;
}

/** Of this package, as service-center shows it. */
function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String((manifest as { readonly version?: unknown }).version ?? '');
}

import { randomBytes } from 'node:crypto';
import type { DependencyContainer } from 'tsyringe';
import type { CallHandler } from './chain/call-handler.js';
import { Observation } from './chain/observation.js';
import type { PolicyChain } from './chain/policy-chain.js';
import { composeContainer } from './composition/compose-container.js';
import type { MeshDocument } from './config/document.js';
import { LiveConfiguration } from './config/live/live-configuration.js';
import type { CallExplanation, Explainer } from './explain/explainer.js';
import type { ExplainRequest } from './explain/explain-request.js';
import type { ServicePort } from './config/service-ports.js';
import type { LocalGate } from './health/local-gate.js';
import type { InstalledPlugins } from './plugin/installed-plugins.js';
import type { PluginCatalog } from './plugin/plugin-catalog.js';
import { PluginMaker } from './plugin/plugin-maker.js';
import { registryClientOf } from './plugin/registry-client.js';
import { TOKENS } from './plugin/tokens.js';
import { addressesOf, chooseRegistry, probeTcp, type RegistryChoice } from './registry/choose-registry.js';
import type { Lease, Registry } from './registry/contracts.js';
import type { Instance } from './registry/instance.js';
import { LateIpIndex } from './registry/ip-index.js';
import { noRegistry } from './registry/no-registry.js';
import { Registration } from './registry/registration.js';
import { registrationSchema } from './registry/registration-options.js';
import type { ServiceDirectory } from './registry/service-directory.js';
import type { Egress } from './routing/egress/egress.js';
import type { EgressPlans } from './routing/egress/egress-plans.js';
import type { SourceResolver } from './resolver/contracts.js';
import { systemPorts } from './ports/system.js';
import type { Ports } from './ports/ports.js';
import type { CallMetrics } from './telemetry/call-metrics.js';
import { silentLogger, type Logger } from './telemetry/logger.js';
import type { MeshEvents } from './telemetry/mesh-events.js';
import type { PolicyMetrics } from './telemetry/policy-metrics.js';
import type { Tracing } from './telemetry/tracing/tracing.js';

/** Random bytes in the id of a process: enough that no two sidecars of a mesh share one. */
const ID_BYTES = 6;

export interface ChassisSettings {
  /** Loaded with at least {@link CHASSIS_SECTIONS} and the sections of the plugins in the catalog. */
  readonly document: MeshDocument;
  /** Folder of the configuration files. */
  readonly confDir: string;
  readonly catalog: PluginCatalog;
  /** Ports of the local application. */
  readonly servicePorts?: readonly ServicePort[];
  /** True for a port on which this process itself listens: inbound calls never go there. */
  readonly isOwnPort?: (port: number) => boolean;
  readonly ports?: Ports;
  readonly logger?: Logger;
}

/**
 * One mesh instance: configuration, registry, and the handlers that decide about calls. It opens no sockets for calls itself;
 * the proxy or an SDK client asks its handlers. Several may live in one process.
 */
export class Chassis {
  readonly outbound: CallHandler;
  readonly inbound: CallHandler;
  readonly directory: ServiceDirectory;
  readonly metrics: CallMetrics;
  readonly policyMetrics: PolicyMetrics;
  readonly events: MeshEvents;
  readonly configuration: LiveConfiguration;
  readonly sources: readonly SourceResolver[];
  /** Whether calls to the local application are let through; whoever checks the application closes and opens it. */
  readonly localGate: LocalGate;
  /** For calls that pass by the handlers. */
  readonly observation: Observation;
  /** Addresses of hosts by name: resolved once, checked, and kept for a while. */
  readonly hosts: Pick<EgressPlans, 'of'>;
  /** Plugins of the kinds that are chosen by name while the chassis runs. */
  readonly plugins: InstalledPlugins;
  readonly #explainer: Explainer;
  readonly #registration: Registration | undefined;
  readonly #egress: Egress;
  readonly #chains: readonly PolicyChain[];
  readonly #tracing: Tracing;
  #closed: Promise<void> | undefined;

  private constructor(
    document: MeshDocument,
    readonly registry: Registry,
    readonly registryChoice: RegistryChoice,
    container: DependencyContainer,
  ) {
    this.outbound = container.resolve(TOKENS.outbound);
    this.inbound = container.resolve(TOKENS.inbound);
    this.directory = container.resolve(TOKENS.directory);
    this.metrics = container.resolve(TOKENS.metrics);
    this.policyMetrics = container.resolve(TOKENS.policyMetrics);
    this.events = container.resolve(TOKENS.events);
    this.configuration = container.resolve(TOKENS.configuration);
    this.sources = container.resolve(TOKENS.sourceResolvers);
    this.#explainer = container.resolve(TOKENS.explainer);
    this.#egress = container.resolve(TOKENS.egress);
    this.hosts = this.#egress.plans;
    this.#registration = registrationOf(registry, document, container);
    this.#tracing = container.resolve(TOKENS.tracing);
    this.observation = new Observation(container.resolve(TOKENS.requestIds), this.#tracing);
    this.localGate = container.resolve(TOKENS.localGate);
    this.plugins = container.resolve(TOKENS.plugins);
    this.#chains = [TOKENS.consumerChain, TOKENS.providerChain].map((token) => container.resolve(token).policies);
  }

  /**
   * Puts a chassis together; nothing is watched or registered yet.
   * @throws MeshError for an unknown plugin or handler name, a service port that is Mesher's own, or whatever a plugin's
   * `create` throws; a registry that was made by then is closed again
   */
  static async create(settings: ChassisSettings): Promise<Chassis> {
    const { document, catalog, confDir } = settings;
    const ports = settings.ports ?? systemPorts();
    const logger = settings.logger ?? silentLogger();
    const ipIndex = new LateIpIndex();
    const registryAddresses = addressesOf(document.registry);
    const registryClient = registryClientOf(document);
    const context = { ports, logger, confDir, ipIndex, registryAddresses, registryClient };
    const maker = new PluginMaker(catalog, document, context);
    const choice = await chooseRegistry(
      document.registry,
      (type) => catalog.find('registry', type) !== undefined,
      probeTcp(ports.timers),
    );
    logger.info({ registry: choice.type ?? 'none' }, `registry: ${choice.type ?? 'none'}, because ${choice.because}`);
    if (choice.unused !== undefined) logger.warn({}, `not in use: ${choice.unused}`);
    const registry = choice.type === undefined ? noRegistry() : await maker.registry(choice);
    try {
      const container = composeContainer({
        ports,
        logger,
        configuration: new LiveConfiguration(document, logger),
        plugins: await maker.standing(),
        discovery: isDiscoveryOff(document) ? noRegistry().discovery : registry.discovery,
        destinationResolvers: await maker.destinationResolvers(),
        sourceResolvers: [await maker.sourceResolver()],
        servicePorts: settings.servicePorts ?? [],
        isOwnPort: settings.isOwnPort ?? (() => false),
        sidecarId: randomBytes(ID_BYTES).toString('hex'),
      });
      const chassis = new Chassis(document, registry, choice, container);
      ipIndex.follow(chassis.directory.ipIndex);
      reportChains(container);
      return chassis;
    } catch (error) {
      await registry.discovery.close();
      throw error;
    }
  }

  /** The configuration in effect. */
  get document(): MeshDocument {
    return this.configuration.document;
  }

  /**
   * What would become of a call, decision by decision, and why. Nothing is sent, counted or changed; a service that nobody has
   * called is looked up in the registry only when the request says `watch`.
   *
   * ```ts
   * const { sent, steps } = await chassis.explain({ url: 'http://world/v2', headers: { 'x-user': '1' } });
   * ```
   *
   * @throws MeshError MESH_ERR_EXPLAIN_REQUEST for a request that makes no sense
   */
  explain(request: ExplainRequest): Promise<CallExplanation> {
    return this.#explainer.explain(request);
  }

  /**
   * Puts a checked document in the place of the present one: the next call is decided by it, calls under way keep what was decided
   * about them. What cannot change while running must be as in the present document; `loadConfiguration` sees to it when it is
   * given `running`.
   * @throws MeshError when a part of the chassis cannot work with it; then nothing has changed
   */
  reconfigure(document: MeshDocument): void {
    this.configuration.check(document);
    this.configuration.swap(document);
  }

  /**
   * Begins to follow the registry, and connects to the stores of shared limits; resolves with the registry's first answer about
   * everything, as far as it can list. While the registry does not answer, it does not resolve before {@link close}; calls are decided
   * about meanwhile. For a store it waits a second, or `mesher.rateLimit.shared.timeout` where that is longer.
   */
  async start(): Promise<void> {
    await Promise.all([this.directory.followAll(), ...this.#chains.map((chain) => chain.start())]);
  }

  /**
   * Makes the local instance known. While the registry does not answer, the promise does not resolve before {@link leave}, which
   * makes it reject.
   * @returns undefined when the registry takes no registrations, or the configuration says not to register
   * @throws MeshError MESH_ERR_REGISTERED when it is registered already
   */
  register(self: Instance): Promise<Lease> | undefined {
    return this.#registration?.register(self);
  }

  /**
   * Leaves the registry, or gives up a registration that is under way; takes no longer than `mesher.registration.leaveTimeout`.
   * Idempotent; never rejects.
   */
  async leave(): Promise<void> {
    await this.#registration?.leave();
  }

  /** Leaves the registry if {@link leave} has not done so, ends all watches, and lets calls go that wait for the registry. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Calls that wait for the registry would wait for nothing.
    this.#egress.plans.close();
    this.directory.close();
    await this.leave();
    for (const chain of this.#chains) chain.close();
    await this.#tracing.close();
    const limiters = this.plugins.names('shared-limiter');
    await Promise.allSettled(limiters.map(async (name) => await this.plugins.find('shared-limiter', name)?.close()));
    await this.registry.discovery.close();
  }
}

function registrationOf(
  { registrator }: Registry,
  document: MeshDocument,
  container: DependencyContainer,
): Registration | undefined {
  const { registry } = document;
  const isManual = (registry.registrator.register ?? registry.register) === 'manual';
  if (registrator === undefined || isManual || registry.registrator.disabled === true) return undefined;
  const options = document.section('mesher.registration', registrationSchema);
  return new Registration(registrator, container.resolve(TOKENS.ports), container.resolve(TOKENS.logger), options);
}

function isDiscoveryOff({ registry }: MeshDocument): boolean {
  return registry.serviceDiscovery.disabled === true || registry.discovery.disabled === true;
}

/** Says which handlers have no effect yet: aloud when the configuration names them, else for the curious. */
function reportChains(container: DependencyContainer): void {
  const { document } = container.resolve(TOKENS.configuration);
  const logger = container.resolve(TOKENS.logger);
  const chains = [
    {
      chain: container.resolve(TOKENS.consumerChain),
      isConfigured: document.chain('Consumer', 'outgoing') !== undefined,
    },
    {
      chain: container.resolve(TOKENS.providerChain),
      isConfigured: document.chain('Provider', 'incoming') !== undefined,
    },
  ];
  for (const { chain, isConfigured } of chains) {
    if (chain.withoutEffect.length === 0) continue;
    const report = isConfigured ? logger.info : logger.debug;
    report.call(logger, { handlers: chain.withoutEffect }, 'handlers that have no effect in this version');
  }
}

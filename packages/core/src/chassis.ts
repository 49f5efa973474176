import { randomBytes } from 'node:crypto';
import type { DependencyContainer } from 'tsyringe';
import { LocalPorts } from './chain/local-ports.js';
import type { CallHandler } from './chain/call-handler.js';
import { composeContainer, consumerChain, providerChain } from './composition.js';
import type { MeshDocument } from './config/document.js';
import type { ServicePort } from './config/service-ports.js';
import { MeshError } from './errors.js';
import type { CallProtocol } from './invocation.js';
import type { PluginContext, PluginKind, PluginKinds } from './plugin/define-plugin.js';
import type { PluginCatalog } from './plugin/plugin-catalog.js';
import { pluginSettings } from './plugin/plugin-settings.js';
import { TOKENS } from './plugin/tokens.js';
import { chooseRegistry, probeTcp, type RegistryChoice } from './registry/choose-registry.js';
import type { Lease, Registry } from './registry/contracts.js';
import type { Instance } from './registry/instance.js';
import type { IpIndex } from './registry/ip-index.js';
import { noRegistry } from './registry/no-registry.js';
import type { ServiceDirectory } from './registry/service-directory.js';
import type { DestinationResolver, SourceResolver } from './resolver/contracts.js';
import { systemPorts } from './ports/system.js';
import type { Ports } from './ports/ports.js';
import type { CallMetrics } from './telemetry/call-metrics.js';
import { silentLogger, type Logger } from './telemetry/logger.js';

/** Random bytes in the id of a process: enough that no two sidecars of a mesh share one. */
const ID_BYTES = 6;

export interface ChassisSettings {
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
  readonly sources: readonly SourceResolver[];
  #lease: Promise<Lease> | undefined;
  readonly #stop = new AbortController();

  private constructor(
    readonly document: MeshDocument,
    readonly registry: Registry,
    readonly registryChoice: RegistryChoice,
    private readonly container: DependencyContainer,
  ) {
    this.outbound = container.resolve(TOKENS.outbound);
    this.inbound = container.resolve(TOKENS.inbound);
    this.directory = container.resolve(TOKENS.directory);
    this.metrics = container.resolve(TOKENS.metrics);
    this.sources = container.resolve(TOKENS.sourceResolvers);
  }

  /**
   * Puts a chassis together; nothing is watched or registered yet.
   * @throws MeshError for an unknown plugin or handler name, or whatever a plugin's `create` throws
   */
  static async create(settings: ChassisSettings): Promise<Chassis> {
    const { document, catalog } = settings;
    const ports = settings.ports ?? systemPorts();
    const logger = settings.logger ?? silentLogger();
    const liveIndex = new LateIpIndex();
    const context: PluginContext = {
      ports,
      logger,
      confDir: settings.confDir,
      ipIndex: liveIndex,
      registryAddresses: document.registry.address ?? [],
    };
    const create = async <K extends PluginKind>(kind: K, name: string, key: string): Promise<PluginKinds[K]> => {
      const plugin = catalog.get(kind, name, key);
      return await plugin.create(pluginSettings(document, plugin), context);
    };
    const choice = await chooseRegistry(
      document.registry,
      document.registryConfigured,
      (type) => catalog.find('registry', type) !== undefined,
      probeTcp(ports.timers),
    );
    const registry =
      choice.type === undefined ? noRegistry() : await create('registry', choice.type, 'servicecomb.registry.type');
    logger.info({ registry: choice.type ?? 'none' }, `registry: ${choice.type ?? 'none'}, because ${choice.because}`);
    const container = composeContainer({
      ports,
      logger,
      document,
      registry,
      sidecarId: randomBytes(ID_BYTES).toString('hex'),
    });
    const chosen = document.plugin.destinationResolver;
    const resolvers: Record<CallProtocol, DestinationResolver> = {
      http: await create('destination-resolver', chosen.http, 'plugin.destinationResolver.http'),
      grpc: await create('destination-resolver', chosen.grpc, 'plugin.destinationResolver.grpc'),
      tcp: await create('destination-resolver', chosen.tcp, 'plugin.destinationResolver.tcp'),
    };
    const source = await create(
      'source-resolver',
      document.plugin.sourceResolver ?? 'default',
      'plugin.sourceResolver',
    );
    container.registerInstance(TOKENS.destinationResolvers, resolvers);
    container.registerInstance(TOKENS.sourceResolvers, [source]);
    container.registerInstance(
      TOKENS.localPorts,
      new LocalPorts(settings.servicePorts ?? [], settings.isOwnPort ?? (() => false)),
    );
    const withoutEffect = [...consumerChain(container).withoutEffect, ...providerChain(container).withoutEffect];
    if (withoutEffect.length > 0) {
      logger.debug({ handlers: withoutEffect }, 'handlers that have no effect in this version');
    }
    const chassis = new Chassis(document, registry, choice, container);
    liveIndex.follow(chassis.directory.ipIndex);
    return chassis;
  }

  /** Begins to follow the registry; resolves with its first answer about everything, as far as it can list. */
  async start(): Promise<void> {
    await this.directory.followAll();
  }

  /**
   * Makes the local instance known.
   * @returns undefined when the registry takes no registrations, or the configuration says not to register
   */
  register(self: Instance): Promise<Lease> | undefined {
    const { registrator } = this.registry;
    const { register } = this.document.registry;
    const disabled = this.document.registry.registrator.disabled ?? false;
    if (registrator === undefined || register === 'manual' || disabled) return undefined;
    if (this.#lease !== undefined)
      throw new MeshError('MESH_ERR_REGISTERED', 'this chassis has registered its instance already');
    this.#lease = registrator.register(self, this.#stop.signal);
    return this.#lease;
  }

  /** Leaves the registry. Idempotent. */
  async leave(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) return;
    await (await lease).release();
  }

  async close(): Promise<void> {
    this.directory.close();
    this.#stop.abort();
    await this.registry.discovery.close();
    await this.container.dispose();
  }
}

/** Plugins are made before the directory whose index they read; the index is connected when it is there. */
class LateIpIndex implements IpIndex {
  #index: IpIndex | undefined;

  follow(index: IpIndex): void {
    this.#index = index;
  }

  byIp(ip: string): Instance | undefined {
    return this.#index?.byIp(ip);
  }

  byAddress(ip: string, port: number): Instance | undefined {
    return this.#index?.byAddress(ip, port);
  }
}

import { AdminServer, type AdminAddress, type Readiness } from '@mesher/admin';
import {
  Chassis,
  MetricsPage,
  formatHostPort,
  makeInstance,
  ownMetadata,
  systemPorts,
  within,
  type Bootstrap,
  type CallHandler,
  type HostPort,
  type Instance,
  type InstanceAddress,
  type Logger,
  type MeshDocument,
  type MeshMode,
  type PluginCatalog,
  type Ports,
} from '@mesher/core';
import {
  ProxyServer,
  proxyOptionsSchema,
  type Listener,
  type ListenerSpec,
  type ProxyOptions,
  type ProxyStats,
} from '@mesher/proxy';
import { adminSources } from './admin-view.js';
import { ApplicationHealth } from './application-health.js';
import type { ConfigurationFeed } from './configuration-feed.js';
import { ownPorts, planListeners, type ListenPlan, type OutboundAddress } from './listen-plan.js';
import { LocalTarget } from './local-target.js';
import { ownAddresses } from './own-addresses.js';
import { sidecarFamilies } from './sidecar-families.js';
import { givenUp, untilAborted } from './start-given-up.js';
import { TelemetryOutlets } from './telemetry-outlets.js';
import type { TransparentListener } from '../transparent/open-transparent.js';
import { transparentSchema } from '../transparent/transparent-schema.js';

export interface SidecarSettings {
  readonly document: MeshDocument;
  /** Where changes of the configuration come from; it is closed with the sidecar. */
  readonly feed: ConfigurationFeed;
  readonly bootstrap: Bootstrap;
  readonly catalog: PluginCatalog;
  readonly logger: Logger;
  readonly ports?: Ports;
  /** Called when the admin API asks for a drain. */
  readonly onDrainRequest?: () => void;
  /** Called once when listeners are open, with what the proxy counts: calls may come while the registry is still waited for. */
  readonly onServing?: (stats: ProxyStats) => void;
  /** Gives up a start that is under way: a registry that does not answer must not keep the process from ending. */
  readonly signal?: AbortSignal;
}

/** Where a running sidecar can be reached. */
export interface SidecarAddresses {
  readonly outbound: readonly HostPort[];
  readonly inbound: readonly HostPort[];
  /** Where rules of interception send connections; undefined in other modes. */
  readonly transparent: HostPort | undefined;
  /** Under which the application is registered, by protocol. */
  readonly registered: ReadonlyMap<string, HostPort>;
  readonly admin: AdminAddress | undefined;
  /** Port for metrics alone. */
  readonly metrics: AdminAddress | undefined;
  readonly profiles: AdminAddress | undefined;
}

/** Registering takes milliseconds when the registry is well; who starts after us should find us. */
const REGISTRATION_WAIT_MS = 1_000;
/** A check on loopback takes milliseconds: who waits for the first ones need not register as STARTING and say a moment later that it is UP. */
const HEALTH_WAIT_MS = 300;

type Phase = 'starting' | 'running' | 'draining' | 'stopped';

/** A sidecar in this process: chassis, proxy and admin API, started and stopped in the right order. */
export class Sidecar {
  #phase: Phase = 'starting';
  #registryAnswered = false;
  #admin: AdminServer | undefined;
  readonly #inbound: Listener[] = [];
  readonly #outbound: Listener[] = [];
  #transparent: TransparentListener | undefined;
  #drained: Promise<boolean> | undefined;
  readonly #outlets = new TelemetryOutlets();
  /** Settles when everything that listens does so, or one of it cannot. */
  #opening: Promise<void> | undefined;

  private constructor(
    private readonly settings: SidecarSettings,
    private readonly ports: Ports,
    readonly chassis: Chassis,
    private readonly proxy: ProxyServer,
    private readonly plan: ListenPlan,
    private readonly health: ApplicationHealth,
    private readonly isOwnPort: (port: number) => boolean,
  ) {}

  /**
   * Starts everything: plugins and registry, listeners, admin API, registration. Ready when it resolves.
   * @throws MeshError for addresses that cannot be had, unknown plugins or handlers, and `MESH_ERR_STOPPED` when `signal` aborts; what
   * was opened is closed again
   */
  static async start(settings: SidecarSettings): Promise<Sidecar> {
    const { document, logger, bootstrap } = settings;
    const ports = settings.ports ?? systemPorts();
    const plan = planListeners(document, bootstrap.mode);
    const own = new Set([...ownPorts(plan, document), ...transparentPorts(document, bootstrap.mode)]);
    const isOwnPort = (port: number): boolean => own.has(port);
    const chassis = await Chassis.create({
      document,
      confDir: bootstrap.confDir,
      catalog: settings.catalog,
      servicePorts: bootstrap.servicePorts,
      isOwnPort,
      ports,
      logger,
    });
    const proxy = new ProxyServer(
      { ports, logger, onConnected: (endpoint) => chassis.outbound.connected(endpoint) },
      proxyOptions(document),
    );
    chassis.configuration.onChange((changed) => proxy.reconfigure(proxyOptions(changed)));
    settings.feed.attach(chassis);
    chassis.directory.onRetired((endpoint) => proxy.retire(endpoint));
    const health = new ApplicationHealth(chassis, { catalog: settings.catalog, isOwnPort, ports, logger });
    const sidecar = new Sidecar(settings, ports, chassis, proxy, plan, health, isOwnPort);
    try {
      await untilAborted(() => sidecar.#start(), settings.signal);
      await settings.feed.begin();
    } catch (error) {
      await sidecar.close();
      throw error;
    }
    return sidecar;
  }

  get addresses(): SidecarAddresses {
    const { outbound, inbound } = this.plan;
    const listener = this.#transparent?.listener;
    const transparent = listener === undefined ? undefined : { host: listener.host, port: listener.port };
    const { metricsAddress: metrics, profilesAddress: profiles } = this.#outlets;
    const registered = this.#ownAddresses();
    return { outbound, inbound, transparent, registered, admin: this.#adminAddress, metrics, profiles };
  }

  #adminAddress: AdminAddress | undefined;

  /**
   * Leaves the registry, takes no further inbound connections, and lets what is in flight finish. Outbound calls keep working all
   * the while, because the application still needs them to finish its work.
   * @returns false when the drain timeout ended it
   */
  drain(): Promise<boolean> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async close(): Promise<void> {
    this.#phase = 'stopped';
    this.settings.feed.close();
    this.health.close();
    // A start that is given up opens nothing further, but what it is opening at this moment is closed only once it is open.
    await this.#opening?.catch(() => undefined);
    this.#transparent?.close();
    this.proxy.close();
    // The last calls are counted by now.
    await Promise.all([this.#admin?.close(), this.#outlets.close()]);
    await this.chassis
      .leave()
      .catch((error: unknown) => this.settings.logger.warn({ error }, 'leaving the registry failed'));
    await this.chassis.close();
  }

  async #start(): Promise<void> {
    this.#opening = this.#open();
    await this.#opening;
    this.#goOn();
    this.settings.onServing?.(this.proxy.stats);
    await this.chassis.start();
    if (this.#phase !== 'starting') return;
    this.#registryAnswered = true;
    await this.#register();
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  /** To be asked before each thing that is opened: a start may be given up while it waits. */
  readonly #goOn = (): void => {
    if (this.#isGivenUp) throw givenUp();
  };

  get #isGivenUp(): boolean {
    return this.#phase === 'stopped' || this.settings.signal?.aborted === true;
  }

  /** Opens what listens; the registry is not waited for. */
  async #open(): Promise<void> {
    const { plan, chassis, settings } = this;
    const { logger, document } = settings;
    this.health.start();
    const { ports, proxy } = this;
    const families = sidecarFamilies({ chassis, proxy, ports, health: this.health });
    const page = new MetricsPage(families, logger);
    await this.#openAdmin(page);
    await this.#outlets.open({ chassis, families, page, ports, logger, goOn: this.#goOn });
    for (const address of plan.outbound) await this.#listenOutbound(address);
    for (const address of plan.inbound) this.#inbound.push(await this.#listen(address, chassis.inbound));
    if (settings.bootstrap.mode === 'transparent') {
      // Loaded in this mode only.
      const { openTransparent } = await import('../transparent/open-transparent.js');
      this.#goOn();
      this.#transparent = await openTransparent({ document, chassis, proxy, ports, logger, isOwnPort: this.isOwnPort });
      // The application may need further calls to finish its work, and they come here, too.
      this.#outbound.push(this.#transparent.listener);
    }
    if (plan.inbound.length > 0 && settings.bootstrap.servicePorts.length === 0) {
      logger.warn(
        {},
        'no --service-ports: callers choose the local port by X-Forwarded-Port, and calls without it fail',
      );
    }
    if (plan.inbound.length === 0 && settings.bootstrap.servicePorts.length > 0) {
      logger.warn(
        {},
        'nobody can call the application: --service-ports names what it listens on, and no listener is for calls of others; ' +
          'write the address of this machine into servicecomb.protocols.http.listenAddress, for example 10.0.0.7:30101',
      );
    }
    if (plan.inbound.length > 0 && this.#ownAddresses().size === 0) {
      logger.warn(
        { servicePorts: settings.bootstrap.servicePorts.map(({ protocol, port }) => `${protocol}:${port}`) },
        'nothing is registered: no listener for inbound calls is for what the application speaks; see servicecomb.protocols and --service-ports',
      );
    }
    for (const { listen, service, target, protocol } of document.mesher.listeners) {
      const opaque = protocol === 'tcp';
      if (service !== undefined)
        this.#outbound.push(await this.#listen(listen, chassis.outbound, { destination: { service }, opaque }));
      else if (target !== undefined) {
        const own = document.service.name;
        this.#inbound.push(
          await this.#listen(listen, new LocalTarget(own, target, chassis.localGate), {
            destination: { service: own },
            opaque,
          }),
        );
      }
    }
    if (plan.ignored.length > 0) {
      logger.info(
        { protocols: plan.ignored },
        `no listener for ${plan.ignored.join(', ')}: this version proxies HTTP, gRPC and TCP`,
      );
    }
  }

  /**
   * Makes the application known. A registry that takes no registration now is asked again inside; the sidecar does not wait for
   * it, because calls of the application need none.
   */
  async #register(): Promise<void> {
    const { logger } = this.settings;
    await within(this.ports.timers, HEALTH_WAIT_MS, this.health.whenKnown());
    if (this.#phase !== 'starting') return;
    const self = this.#self();
    const lease = this.chassis.register(self);
    if (lease === undefined) return;
    const addresses = Object.fromEntries([...this.#ownAddresses()].map(([name, one]) => [name, formatHostPort(one)]));
    const registered = lease.then(
      (granted) => {
        logger.info({ addresses, status: self.status }, 'registered');
        this.health.follow(granted, self.status);
      },
      (error: unknown) => {
        // Who leaves gives up a registration that is under way.
        const isLeaving = this.#phase === 'draining' || this.#phase === 'stopped';
        if (!isLeaving) logger.error({ error }, 'the registry refused the registration');
      },
    );
    if (!(await within(this.ports.timers, REGISTRATION_WAIT_MS, registered))) {
      logger.warn({}, 'not registered yet; the registry is asked again and again');
    }
  }

  async #openAdmin(page: MetricsPage): Promise<void> {
    const { plan, settings } = this;
    if (plan.admin === undefined) return;
    const view = {
      chassis: this.chassis,
      proxy: this.proxy,
      ports: this.ports,
      configuration: () => settings.feed.view(),
      readiness: () => this.#readiness(),
      health: this.health,
      transparent: () => this.#transparent?.sources,
      drain: () => (settings.onDrainRequest ?? (() => void this.drain()))(),
    };
    const sources = adminSources(view, page);
    this.#admin = new AdminServer(
      sources,
      this.ports.timers,
      {
        ...plan.admin,
        allowRemote: settings.document.admin.allowRemote,
        allowedHosts: settings.document.admin.allowedHosts,
      },
      settings.logger,
    );
    this.#adminAddress = await this.#admin.listen();
  }

  async #listenOutbound(address: OutboundAddress): Promise<void> {
    try {
      const { isForGrpc } = address;
      this.#outbound.push(await this.#listen(address, this.chassis.outbound, { isForGrpc }));
    } catch (error) {
      if (!address.optional || this.#isGivenUp) throw error;
      this.settings.logger.warn({ error }, `no outbound listener on ${formatHostPort(address)}`);
    }
  }

  async #listen(
    address: HostPort,
    handler: CallHandler,
    how: Pick<ListenerSpec, 'destination' | 'opaque' | 'isForGrpc'> = {},
  ): Promise<Listener> {
    this.#goOn();
    return await this.proxy.listen({
      host: address.host,
      port: address.port,
      handler,
      sources: this.chassis.sources,
      ...how,
    });
  }

  #ownAddresses(): ReadonlyMap<string, InstanceAddress> {
    return ownAddresses(this.plan.advertised, this.settings.bootstrap.servicePorts);
  }

  #self(): Instance {
    const { service } = this.settings.document;
    return makeInstance({
      service: service.name,
      instanceId: '',
      app: service.app,
      version: service.version,
      addresses: this.#ownAddresses(),
      status: this.health.status,
      metadata: ownMetadata(this.settings.document),
    });
  }

  #readiness(): Readiness {
    const reasons: string[] = [];
    if (this.#phase === 'draining' || this.#phase === 'stopped') reasons.push('this sidecar is shutting down');
    if (this.#phase === 'starting')
      reasons.push(this.#registryAnswered ? 'registration is under way' : this.#whyNoAnswer());
    reasons.push(...this.health.problems);
    return { ready: reasons.length === 0, reasons };
  }

  #whyNoAnswer(): string {
    const { lastError } = this.chassis.registry.discovery.state();
    return `the registry has not answered yet${lastError === undefined ? '' : `: ${lastError}`}`;
  }

  async #drain(): Promise<boolean> {
    const { logger, bootstrap } = this.settings;
    this.#phase = 'draining';
    logger.info({ timeoutMs: bootstrap.drainTimeoutMs }, 'draining: leaving the registry, finishing what is in flight');
    this.health.stopPublishing();
    const finish = async (): Promise<void> => {
      await this.chassis.leave().catch((error: unknown) => logger.warn({ error }, 'leaving the registry failed'));
      await Promise.all([
        ...this.#inbound.map((listener) => listener.drain()),
        this.#transparent?.listener.drainInbound(),
      ]);
      // Only now: a request that was being served may have needed further calls.
      await Promise.all(this.#outbound.map((listener) => listener.drain()));
    };
    const inTime = await within(this.ports.timers, bootstrap.drainTimeoutMs, finish());
    logger.info({}, inTime ? 'drained' : 'drain timeout reached; open connections are closed');
    return inTime;
  }
}

function transparentPorts(document: MeshDocument, mode: MeshMode): readonly number[] {
  return mode === 'transparent' ? [document.section('transparent', transparentSchema).port] : [];
}

function proxyOptions(document: MeshDocument): ProxyOptions {
  return { ...document.section('mesher.proxy', proxyOptionsSchema), serverTiming: document.mesher.serverTiming };
}

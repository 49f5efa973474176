import {
  MeshError,
  type Chassis,
  type HealthStatsSource,
  type InstanceStatus,
  type Lease,
  type Logger,
  type MeshDocument,
  type PluginCatalog,
  type Ports,
} from '@mesher/core';
import { LocalHealth, StatusPublisher, healthSchema, type HealthState, type LocalHealthView } from '@mesher/health';

/** Statuses with which an instance takes calls. An operator who chose another one has taken the instance out, however well it is. */
const TAKES_CALLS: ReadonlySet<InstanceStatus> = new Set<InstanceStatus>(['UP', 'TESTING']);

/** Reasons that callers, the log and events are told; with gRPC they stand in a header field, for which clients have some kilobytes. */
const TOLD_REASONS = 3;

/** What it works with besides the chassis. */
export interface ApplicationHealthParts {
  readonly catalog: PluginCatalog;
  /** True for a port on which this process itself listens. */
  readonly isOwnPort: (port: number) => boolean;
  readonly ports: Ports;
  readonly logger: Logger;
}

/** Where the checks of the application lead to: the registry, the gate before the application, events and the admin API. */
export class ApplicationHealth {
  readonly #health: LocalHealth;
  readonly #publisher: StatusPublisher;

  /** Nothing is checked before {@link start}. */
  constructor(
    private readonly chassis: Chassis,
    private readonly parts: ApplicationHealthParts,
  ) {
    const { plugins } = chassis;
    const { catalog, ports, logger } = parts;
    this.#health = new LocalHealth({
      ports,
      logger,
      checkers: {
        // Plugins are made by their own names; a check may name the module.
        find: (name) => plugins.find('health-checker', catalog.find('health-checker', name)?.name ?? name),
        names: () => plugins.names('health-checker'),
      },
      onChange: (state) => this.#changed(state),
    });
    this.#publisher = new StatusPublisher(ports, logger, () => {
      const { publishTimeout, publishRetry } = chassis.document.section('mesher.health', healthSchema);
      return { timeoutMs: publishTimeout, firstWaitMs: publishRetry.first, mostWaitMs: publishRetry.most };
    });
  }

  /**
   * Begins to check, and follows the configuration.
   * @throws MeshError MESH_ERR_HEALTH_PORT when a check leads to this very sidecar
   */
  start(): void {
    const { configuration } = this.chassis;
    const refuse = (document: MeshDocument): void => refuseOwnPorts(document, this.parts.isOwnPort);
    refuse(configuration.document);
    configuration.onCheck(refuse);
    configuration.onChange((document) => {
      this.#health.configure(document.localHealthCheck);
      this.#setGate();
    });
    this.#health.configure(configuration.document.localHealthCheck);
  }

  /** Resolves when the checks have a first result, at once where there are none. */
  whenKnown(): Promise<void> {
    return this.#health.whenKnown();
  }

  /** With which status the instance is to be registered now. */
  get status(): InstanceStatus {
    const { status } = this.chassis.document.service;
    const { state } = this.#health;
    if (state === 'up' || !TAKES_CALLS.has(status)) return status;
    return state === 'down' ? 'DOWN' : 'STARTING';
  }

  /** What the checks say; undefined where there are none. */
  get view(): LocalHealthView | undefined {
    return this.#health.isConfigured ? this.#health.view : undefined;
  }

  /** For the metrics page. */
  get stats(): HealthStatsSource | undefined {
    const { view } = this;
    return view === undefined ? undefined : { ...view, publishFailures: this.#publisher.failures };
  }

  /** Why the application takes no calls; empty when it does, or when nobody checks. */
  get problems(): readonly string[] {
    const { view } = this;
    if (view === undefined || view.state === 'up') return [];
    if (view.state === 'unknown') return ['the local health checks have no result yet'];
    return view.reasons.length === 0
      ? ['the local application was down']
      : view.reasons.map((one) => `local health check ${one}`);
  }

  /** @param status with which the instance was registered */
  follow(lease: Lease, status: InstanceStatus): void {
    this.#publisher.follow(lease, status);
    this.#publisher.want(this.status);
  }

  /** The instance leaves: what the checks say is not published any more. */
  stopPublishing(): void {
    this.#publisher.stop();
  }

  close(): void {
    this.#publisher.stop();
    this.#health.close();
  }

  #changed(state: HealthState): void {
    const { isConfigured, view } = this.#health;
    this.#publisher.want(this.status);
    this.#setGate();
    if (!isConfigured) return;
    const { service } = this.chassis.document;
    if (state === 'down') {
      const { reasons } = view;
      const text = `the local application is down: ${shortly(reasons)}`;
      this.parts.logger.warn({ reasons, status: this.status }, text);
      this.chassis.events.emit('local-down', service.name, text, { reasons });
    } else {
      this.parts.logger.info({ status: this.status }, 'the local application is up');
      this.chassis.events.emit('local-up', service.name, 'the local application is up');
    }
  }

  #setGate(): void {
    const { localGate, document } = this.chassis;
    const { state } = this.#health;
    const { refuseWhileDown } = document.section('mesher.health', healthSchema);
    if (state === 'down' && refuseWhileDown) {
      localGate.close(() => `The local application is down: ${shortly(this.#health.view.reasons)}`);
    } else localGate.open();
  }
}

function shortly(reasons: readonly string[]): string {
  // What failed passes now, and another check has no result yet.
  if (reasons.length === 0) return 'it was a moment ago';
  const told = reasons.slice(0, TOLD_REASONS).join('; ');
  return reasons.length > TOLD_REASONS ? `${told}; and ${reasons.length - TOLD_REASONS} more` : told;
}

/**
 * A check that goes through this sidecar asks the sidecar, and would keep the gate closed for ever once it is.
 * @throws MeshError MESH_ERR_HEALTH_PORT when there is one
 */
export function refuseOwnPorts(document: MeshDocument, isOwnPort: (port: number) => boolean): void {
  const own = document.localHealthCheck.find(({ port }) => isOwnPort(port));
  if (own === undefined) return;
  throw new MeshError(
    'MESH_ERR_HEALTH_PORT',
    `localHealthCheck: port '${own.port}' is one of Mesher's own; name the port on which the application listens`,
  );
}

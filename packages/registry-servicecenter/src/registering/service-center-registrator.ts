import {
  registerOrGiveUp,
  type Instance,
  type Lease,
  type Logger,
  type Ports,
  type Registrator,
  type RegistryEvent,
} from '@mesher/core';
import type { OwnIdentity } from '../client/own-identity.js';
import type { ReconnectPauses } from '../client/reconnecting.js';
import type { ServiceCenter } from '../client/service-center.js';
import { messageOf, ServiceCenterError } from '../client/service-center-error.js';
import { HeartbeatSocket } from './heartbeat-socket.js';
import { Heartbeats } from './heartbeats.js';
import type { OwnFacts } from './own-service.js';
import { Registration } from './registration.js';
import type { SchemaFiles } from './schema-files.js';

export interface RegistratorSettings {
  readonly facts: OwnFacts;
  readonly heartbeatMode: 'non-keep-alive' | 'ping-pong';
  readonly pauses: ReconnectPauses;
  readonly schemas: SchemaFiles | undefined;
  /** Counts what happens. */
  readonly onEvent: (event: RegistryEvent) => void;
}

/** Registers instances in service-center and keeps them alive. */
export class ServiceCenterRegistrator implements Registrator {
  readonly name = 'servicecenter';
  readonly #registrations = new Map<Registration, HeartbeatSocket | undefined>();
  /** By service, why it was refused for good: nobody asks again, and who looks should see why it is found nowhere. */
  readonly #refused = new Map<string, string>();
  readonly #heartbeats: Heartbeats;
  readonly #endSuspicion: () => void;
  #closed = false;

  constructor(
    private readonly center: ServiceCenter,
    private readonly identity: OwnIdentity,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly settings: RegistratorSettings,
  ) {
    const due = (): readonly Registration[] =>
      [...this.#registrations].filter(([, socket]) => socket?.isAlive !== true).map(([registration]) => registration);
    this.#heartbeats = new Heartbeats(center, due, ports, logger, {
      intervalMs: settings.facts.heartbeatMs,
      pauses: settings.pauses,
      onEvent: settings.onEvent,
    });
    this.#endSuspicion = identity.onSuspicion(() => this.#heartbeats.hurry());
  }

  /** What keeps registrations from being in place or alive. */
  get problems(): readonly string[] {
    const pending = [...this.#registrations.keys()].flatMap(({ problem }) => problem ?? []);
    const problems = [...this.#refused.values(), ...pending];
    const { lastError } = this.#heartbeats;
    return lastError === undefined ? problems : [...problems, `heartbeat: ${messageOf(lastError)}`];
  }

  /**
   * Resolves when service-center has the instance; while it does not answer, it is asked again and again with growing jittered pauses.
   * @throws ServiceCenterError SC_REFUSED when service-center refuses for good, SC_CLOSED; the reason of `signal` when it aborts
   */
  async register(self: Instance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#closed) throw new ServiceCenterError('SC_CLOSED', 'the service-center registry is closed');
    const { center, identity, ports, logger } = this;
    const { facts, pauses, schemas, onEvent } = this.settings;
    const registration = new Registration(self, {
      ...{ center, facts, ports, logger, pauses, schemas, onEvent },
      onService: (serviceId) => (identity.serviceId = serviceId),
      onReleased: (released) => this.#forget(released),
    });
    this.#registrations.set(registration, undefined);
    try {
      await registerOrGiveUp(signal, registration);
    } catch (error) {
      this.#forget(registration);
      if (!signal.aborted && registration.problem !== undefined) {
        this.#refused.set(self.service, `${registration.problem}; it is not asked again before the next start`);
      }
      throw error;
    }
    this.#refused.delete(self.service);
    this.#keepAlive(registration);
    return registration;
  }

  /** Sends heartbeats now instead of at the next turn. */
  beatNow(): void {
    this.#heartbeats.hurry();
  }

  /** Releases every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endSuspicion();
    await Promise.allSettled([...this.#registrations.keys()].map((registration) => registration.release()));
    await this.#heartbeats.close();
  }

  #keepAlive(registration: Registration): void {
    this.#heartbeats.start();
    if (this.settings.heartbeatMode !== 'ping-pong') return;
    const { center, ports, logger } = this;
    const hurry = (withinMs: number): void => this.#heartbeats.hurry(withinMs);
    const socket = new HeartbeatSocket(registration, center, ports, logger, this.settings, hurry);
    this.#registrations.set(registration, socket);
    void socket.run();
  }

  #forget(registration: Registration): void {
    this.#registrations.delete(registration);
    if (this.#registrations.size === 0) this.identity.serviceId = undefined;
  }
}

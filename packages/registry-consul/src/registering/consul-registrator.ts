import {
  registerOrGiveUp,
  watchForSuspend,
  type Instance,
  type Lease,
  type Registrator,
  type TimerHandle,
} from '@mesher/core';
import { ConsulError } from '../client/consul-error.js';
import { Heartbeats } from './heartbeats.js';
import { Registration, type RegistrationParts } from './registration.js';

export interface RegistratorParts extends Omit<RegistrationParts, 'onReleased'> {
  /** Between two heartbeats, in milliseconds. */
  readonly heartbeatMs: number;
}

/** Registers instances at a Consul agent and keeps them alive. */
export class ConsulRegistrator implements Registrator {
  readonly name = 'consul';
  readonly #registrations = new Map<Registration, Heartbeats>();
  readonly #running = new Set<Promise<void>>();
  #suspendWatch: TimerHandle | undefined;
  #closed = false;

  constructor(private readonly parts: RegistratorParts) {}

  /** What keeps registrations from being in place or alive. */
  get problems(): readonly string[] {
    return [...this.#registrations.keys()].flatMap(({ problem }) => problem ?? []);
  }

  /**
   * Resolves when the agent has the instance; while it does not answer, it is asked again and again with growing jittered pauses.
   * @throws ConsulError CONSUL_REFUSED when Consul refuses for good, CONSUL_CLOSED; the reason of `signal` when it aborts
   */
  async register(self: Instance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#closed) throw new ConsulError('CONSUL_CLOSED', 'the Consul registry is closed');
    const { ports, logger, counter, pauses, heartbeatMs } = this.parts;
    const registration = new Registration(self, {
      ...this.parts,
      onReleased: (released) => this.#registrations.delete(released),
    });
    const heartbeats = new Heartbeats(registration, ports, logger, counter, { intervalMs: heartbeatMs, pauses });
    this.#registrations.set(registration, heartbeats);
    try {
      await registerOrGiveUp(signal, registration);
    } catch (error) {
      this.#registrations.delete(registration);
      throw error;
    }
    // Leases go on while the machine sleeps.
    this.#suspendWatch ??= watchForSuspend(ports, () => this.beatNow());
    const running = heartbeats.run();
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return registration;
  }

  /** Sends heartbeats now instead of at the next turn. */
  beatNow(): void {
    for (const heartbeats of this.#registrations.values()) heartbeats.hurry();
  }

  /** Releases every lease. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#suspendWatch?.cancel();
    await Promise.allSettled([...this.#registrations.keys()].map((registration) => registration.release()));
    await Promise.all(this.#running);
  }
}

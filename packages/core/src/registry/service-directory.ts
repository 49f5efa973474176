import type { BalancerFactory } from '../loadbalance/load-balancer.js';
import type { Ports, TimerHandle } from '../ports/ports.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServiceDiscovery } from './contracts.js';
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from './directory-options.js';
import type { Endpoint } from './endpoint.js';
import type { Instance } from './instance.js';
import { buildIpIndex, type IpIndex } from './ip-index.js';
import { ServicePlan } from './service-plan.js';

interface Watched {
  readonly plan: ServicePlan;
  readonly stop: AbortController;
  /** Resolves with the first snapshot. */
  readonly first: Promise<void>;
}

/**
 * What this process knows of services: for each one that is called, the last good snapshot, compiled. Services are watched from
 * their first call on and given up when nobody calls them. A registry in trouble never empties a service.
 */
export class ServiceDirectory {
  readonly #watched = new Map<string, Watched>();
  readonly #sweeper: TimerHandle;
  readonly #stop = new AbortController();
  readonly #retiredListeners: ((endpoint: Endpoint) => void)[] = [];
  #index: IpIndex = buildIpIndex([]);
  #listed: readonly Instance[] = [];

  /** The live IP index; it stays the same object. */
  readonly ipIndex: IpIndex = {
    byIp: (ip) => this.#index.byIp(ip),
    byAddress: (ip, port) => this.#index.byAddress(ip, port),
  };

  constructor(
    readonly discovery: ServiceDiscovery,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly balancer: BalancerFactory,
    private readonly options: DirectoryOptions = DEFAULT_DIRECTORY_OPTIONS,
  ) {
    this.#sweeper = ports.timers.every(options.absentTtl, () => this.#sweep());
  }

  /** Calls `listener` for each endpoint that leaves, so that its connections can be closed. */
  onRetired(listener: (endpoint: Endpoint) => void): void {
    this.#retiredListeners.push(listener);
  }

  /** The plan of a service, watched from now on; undefined when too many services are watched already. */
  plan(service: string): ServicePlan | undefined {
    const watched = this.#watched.get(service);
    return watched === undefined ? this.#watch(service)?.plan : watched.plan;
  }

  /** Resolves when the registry has answered about `service`, or when the first call has waited long enough. */
  async whenKnown(service: string): Promise<void> {
    const watched = this.#watched.get(service) ?? this.#watch(service);
    if (watched === undefined || watched.plan.state !== 'pending') return;
    let timer: TimerHandle | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = this.ports.timers.after(this.options.firstAnswerTimeout, resolve);
    });
    await Promise.race([watched.first, timeout]);
    timer?.cancel();
  }

  /** Follows the list of all instances, for the IP index; resolves with the first list, or at once if there is none. */
  async followAll(): Promise<void> {
    const { discovery } = this;
    if (discovery.watchAll === undefined) return;
    const watchAll = (signal: AbortSignal): AsyncIterable<readonly Instance[]> =>
      (discovery.watchAll as NonNullable<typeof discovery.watchAll>)(signal);
    await new Promise<void>((resolve) => {
      void this.#follow('all services', this.#stop.signal, watchAll, (instances) => {
        this.#listed = instances;
        this.#index = buildIpIndex(instances);
        resolve();
      });
      this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Plans of all watched services. */
  get plans(): readonly ServicePlan[] {
    return [...this.#watched.values()].map(({ plan }) => plan);
  }

  /** All instances the registry lists; empty when it cannot list. */
  get listed(): readonly Instance[] {
    return this.#listed;
  }

  close(): void {
    this.#sweeper.cancel();
    this.#stop.abort();
    for (const { stop } of this.#watched.values()) stop.abort();
    this.#watched.clear();
  }

  #watch(service: string): Watched | undefined {
    if (this.#watched.size >= this.options.maxServices) {
      this.#sweep();
      if (this.#watched.size >= this.options.maxServices) return undefined;
    }
    const plan = new ServicePlan(service, this.ports, this.balancer, (endpoint) => this.#retired(endpoint));
    plan.lastUsedAt = this.ports.clock.now();
    const stop = new AbortController();
    const first = new Promise<void>((resolve) => {
      void this.#follow(
        service,
        stop.signal,
        (signal) => this.discovery.watch({ service }, signal),
        (snapshot) => {
          plan.apply(snapshot, this.ports.clock.now());
          resolve();
        },
      );
    });
    const watched = { plan, stop, first };
    this.#watched.set(service, watched);
    return watched;
  }

  async #follow<T>(
    subject: string,
    signal: AbortSignal,
    watch: (signal: AbortSignal) => AsyncIterable<T>,
    take: (value: T) => void,
  ): Promise<void> {
    let delay = this.options.minRetryDelay;
    while (!signal.aborted) {
      try {
        for await (const value of watch(signal)) {
          if (signal.aborted) return;
          delay = this.options.minRetryDelay;
          take(value);
        }
        if (signal.aborted) return;
        this.logger.warn({ subject, registry: this.discovery.name }, 'the registry ended a watch; watching again');
      } catch (error) {
        if (signal.aborted) return;
        this.logger.warn(
          { subject, registry: this.discovery.name, error },
          'watching failed; the last good state stays in use',
        );
      }
      // Full jitter, so that many callers do not come back to a registry in the same moment.
      const pause = delay * this.ports.random.next() + this.options.minRetryDelay;
      delay = Math.min(delay * 2, this.options.maxRetryDelay);
      await this.#pause(pause, signal);
    }
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.ports.timers.after(ms, done);
      function done(): void {
        signal.removeEventListener('abort', aborted);
        resolve();
      }
      function aborted(): void {
        timer.cancel();
        resolve();
      }
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  #sweep(): void {
    const now = this.ports.clock.now();
    for (const [service, { plan, stop }] of this.#watched) {
      const ttl = plan.state === 'known' ? this.options.idleTtl : this.options.absentTtl;
      if (now - plan.lastUsedAt < ttl) continue;
      this.#watched.delete(service);
      stop.abort();
      plan.retireAll();
    }
  }

  #retired(endpoint: Endpoint): void {
    for (const listener of this.#retiredListeners) listener(endpoint);
  }
}

import type { Balancing } from '../loadbalance/balancing.js';
import type { Ports, TimerHandle } from '../ports/ports.js';
import type { Logger } from '../telemetry/logger.js';
import { atOnce, inSlices, ITEMS_PER_SLICE, type Steps } from '../slices/slices.js';
import type { ServiceDiscovery } from './contracts.js';
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from './directory-options.js';
import type { Endpoint } from './endpoint.js';
import type { Instance } from './instance.js';
import { buildIpIndex, buildingIpIndex, type IpIndex } from './ip-index.js';
import { ServicePlan } from './service-plan.js';
import { SpellingIndex } from './spelling-index.js';
import { keepWatching } from './watch-loop.js';
import { WatchedService } from './watched-service.js';

/** Least time between two searches for services to give up when there is no room: each looks at all of them. */
const MIN_SEARCH_GAP_MS = 1000;

/**
 * What this process knows of services: for each one that is called, the last good snapshot, compiled. Services are watched from
 * their first call on and given up when nobody calls them. A registry in trouble never empties a service.
 */
export class ServiceDirectory {
  readonly #watched = new Map<string, WatchedService>();
  /** Those of which the registry has not said that they exist, oldest first: they make room for others. */
  readonly #unknown = new Set<WatchedService>();
  /** Services that are watched although nobody calls them, by who asks for that. */
  readonly #kept = new Map<object, ReadonlySet<string>>();
  readonly #stop = new AbortController();
  readonly #retiredListeners: ((endpoint: Endpoint) => void)[] = [];
  /** Runs from the first watched service on: a directory that was never asked leaves nothing behind. */
  #sweeper: TimerHandle | undefined;
  #searchedAt = -Infinity;
  #firstList: Promise<void> | undefined;
  #index: IpIndex = buildIpIndex([]);
  #spelling: SpellingIndex = new SpellingIndex([]);
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
    private readonly balancing: Balancing,
    private readonly options: DirectoryOptions = DEFAULT_DIRECTORY_OPTIONS,
  ) {}

  /** Calls `listener` for each endpoint that leaves, so that its connections can be closed. */
  onRetired(listener: (endpoint: Endpoint) => void): void {
    this.#retiredListeners.push(listener);
  }

  /**
   * The plan of a service, watched from now on. Where there is no room, names that the registry does not know make room first, so
   * that made-up ones never shut out a real one; then services that nobody called for `absentTtl`.
   *
   * Where the registry lists its services, a name that differs from a registered one in case only means that one.
   * @returns undefined when all that are watched are in use
   */
  plan(service: string): ServicePlan | undefined {
    const watched = this.#watched.get(service);
    if (watched !== undefined && watched.plan.state !== 'absent') return watched.plan;
    const registered = this.#spelling.registeredAs(service);
    if (registered !== undefined && registered !== service) return this.plan(registered);
    return watched === undefined ? this.#watch(service)?.plan : watched.plan;
  }

  /**
   * The name of a service that is known to exist, as it is registered, without asking the registry or watching anything: it is listed, or
   * it has been called. Where the registry has no list, services are known from their first call on.
   */
  registeredName(name: string): string | undefined {
    return this.#watched.get(name)?.plan.state === 'known' ? name : this.#spelling.registeredAs(name);
  }

  /**
   * Watches services ahead of calls, and for as long as `owner` names them, from {@link followAll} on; what it named before is
   * given up like any service that nobody calls.
   */
  keepWatched(owner: object, services: ReadonlySet<string>): void {
    this.#kept.set(owner, services);
    if (this.#firstList !== undefined) this.#useKept();
  }

  /**
   * What is known of a service without asking the registry: its plan when it is watched, else one made of the listed instances
   * for this once. For people who ask: nothing is watched, nothing kept.
   * @returns undefined when the service is neither watched nor listed
   */
  preview(service: string): { readonly plan: ServicePlan; readonly watched: boolean } | undefined {
    const own = this.#watched.get(service);
    if (own !== undefined && own.plan.state !== 'absent') return { plan: own.plan, watched: true };
    const name = this.#spelling.registeredAs(service) ?? service;
    const watched = this.#watched.get(name) ?? own;
    if (watched !== undefined) return { plan: watched.plan, watched: true };
    const instances = this.#listed.filter((instance) => instance.service === name);
    if (instances.length === 0) return undefined;
    const plan = this.#plan(name, () => undefined);
    plan.apply({ service: name, exists: true, revision: 'listed', instances }, this.ports.clock.now());
    return { plan, watched: false };
  }

  /**
   * Resolves when the registry has answered about `service`, or `firstAnswerTimeout` after the service was first asked for: the
   * plan then still is `pending`.
   */
  async whenKnown(service: string): Promise<void> {
    const watched = this.#watched.get(service) ?? this.#watch(service);
    if (watched?.plan.state === 'pending') await watched.firstAnswer;
  }

  /**
   * Follows the list of all instances, for the IP index, and the services of {@link keepWatched}. Resolves with the first list, or at once if the registry has no list;
   * while the registry does not answer, it does not resolve before {@link close}.
   */
  followAll(): Promise<void> {
    if (this.#firstList === undefined) {
      this.#firstList = this.#followAll();
      this.#useKept();
    }
    return this.#firstList;
  }

  /** Plans of all watched services. */
  get plans(): readonly ServicePlan[] {
    return Array.from(this.#watched.values(), ({ plan }) => plan);
  }

  /** All instances the registry lists; empty when it cannot list. */
  get listed(): readonly Instance[] {
    return this.#listed;
  }

  /** Ends every watch and whatever waits for one. */
  close(): void {
    this.#sweeper?.cancel();
    this.balancing.sweeper.close();
    this.#stop.abort();
    for (const watched of this.#watched.values()) watched.stop();
    this.#watched.clear();
    this.#unknown.clear();
  }

  #plan(service: string, onRetired: (endpoint: Endpoint) => void): ServicePlan {
    return new ServicePlan(service, this.ports, this.balancing, onRetired);
  }

  #watch(service: string): WatchedService | undefined {
    if (this.#watched.size >= this.options.maxServices && !this.#makeRoom()) return undefined;
    const plan = this.#plan(service, (endpoint) => this.retired(endpoint));
    plan.lastUsedAt = this.ports.clock.now();
    const watched = new WatchedService(plan, this.discovery, this.ports, this.options, this.logger, (known) =>
      this.#sort(known),
    );
    if (this.#stop.signal.aborted) {
      watched.stop();
      return watched;
    }
    const { absentTtl, idleTtl } = this.options;
    this.#sweeper ??= this.ports.timers.every(absentTtl, () => {
      this.#useKept();
      this.#sweep(idleTtl);
    });
    this.#watched.set(service, watched);
    this.#unknown.add(watched);
    watched.start();
    return watched;
  }

  /** Services that are to stay watched count as used. */
  #useKept(): void {
    const now = this.ports.clock.now();
    for (const services of this.#kept.values()) {
      for (const service of services) {
        const plan = this.plan(service);
        if (plan !== undefined) plan.lastUsedAt = now;
      }
    }
  }

  #sort(watched: WatchedService): void {
    if (watched.plan.state === 'known') this.#unknown.delete(watched);
    else if (!this.#unknown.has(watched)) this.#unknown.add(watched);
  }

  #makeRoom(): boolean {
    for (const watched of this.#unknown) {
      if (watched.plan.calls > 0) continue;
      this.#giveUp(watched);
      return true;
    }
    const now = this.ports.clock.now();
    if (now - this.#searchedAt < MIN_SEARCH_GAP_MS) return false;
    this.#searchedAt = now;
    this.#sweep(this.options.absentTtl);
    return this.#watched.size < this.options.maxServices;
  }

  #sweep(idleTtl: number): void {
    const now = this.ports.clock.now();
    for (const watched of this.#watched.values()) {
      const { plan } = watched;
      const ttl = plan.state === 'known' ? idleTtl : this.options.absentTtl;
      if (plan.calls === 0 && now - plan.lastUsedAt >= ttl) this.#giveUp(watched);
    }
  }

  #giveUp(watched: WatchedService): void {
    this.#watched.delete(watched.plan.service);
    this.#unknown.delete(watched);
    watched.stop();
    watched.plan.retireAll();
  }

  async #followAll(): Promise<void> {
    const { discovery } = this;
    const { signal } = this.#stop;
    // Who closed it first would wait for an end that has been.
    if (discovery.watchAll === undefined || signal.aborted) return;
    await new Promise<void>((resolve) => {
      void keepWatching(
        {
          subject: 'all services',
          registry: discovery.name,
          signal,
          watch: (ended) => (discovery as Required<ServiceDiscovery>).watchAll(ended),
          take: (instances) => {
            const steps = this.#indexing(instances);
            if (instances.length > ITEMS_PER_SLICE) return inSlices(steps).then(resolve);
            atOnce(steps);
            resolve();
          },
        },
        this.ports,
        this.options,
        this.logger,
      );
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  *#indexing(instances: readonly Instance[]): Steps<void> {
    const index = yield* buildingIpIndex(instances);
    this.#listed = instances;
    this.#index = index;
    this.#spelling = new SpellingIndex(instances);
  }

  /** Tells those who listen of an endpoint that was given up, also beside the directory: that of a host outside the mesh. */
  retired(endpoint: Endpoint): void {
    for (const listener of this.#retiredListeners) listener(endpoint);
  }
}

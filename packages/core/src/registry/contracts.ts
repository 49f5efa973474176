import type { Instance, InstanceStatus } from './instance.js';
import type { RegistryCounts } from './registry-events.js';

export interface ServiceQuery {
  readonly service: string;
}

/** Everything a registry knows about one service at one moment. Always whole, never a difference. */
export interface ServiceSnapshot {
  readonly service: string;
  /** False when the registry is sure that there is no such service; an existing service may still have no instances. */
  readonly exists: boolean;
  /** Opaque; changes whenever the content does. */
  readonly revision: string;
  readonly instances: readonly Instance[];
}

/** How a registry connection is doing, for `/services`, `/ready` and metrics. */
export interface RegistryState {
  /** `never`: no answer yet; `stale`: the last attempt failed and older knowledge is in use. */
  readonly freshness: 'never' | 'fresh' | 'stale';
  /** Wall-clock milliseconds of the last good answer. */
  readonly lastSuccessAt: number | undefined;
  readonly lastError: string | undefined;
  /** Complaints that did not stop the registry from working: a bad line, an unreadable file. */
  readonly problems: readonly string[];
  /** What has happened to the connection since the start; left out by registries without one. */
  readonly counts?: RegistryCounts;
}

/**
 * Where services are found. A registry pushes whole snapshots; a snapshot iterator that throws means
 * "trouble", never "no instances": the directory keeps its last good snapshot and watches again.
 */
export interface ServiceDiscovery {
  readonly name: string;
  /**
   * Yields the present snapshot as soon as it is known, then one after each change, until `signal` aborts (then it returns).
   */
  watch(query: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot>;
  /**
   * Yields all instances of all services, at once and after each change; feeds the IP index of the SourceResolver.
   * Left out by registries that cannot list everything.
   */
  watchAll?(signal: AbortSignal): AsyncIterable<readonly Instance[]>;
  state(): RegistryState;
  close(): Promise<void>;
}

/** A registration that is kept alive until it is released. */
export interface Lease {
  /**
   * Publishes another status for the registered instance, which holds until another one is set: whoever must register the instance again
   * does so with this status, not with the one of the first registration. Rejects, or takes its time, while the registry does not take it;
   * the caller may ask again, and the latest call counts.
   */
  setStatus(status: InstanceStatus): Promise<void>;
  /** Leaves the registry. Idempotent; resolves when others can no longer see the instance. */
  release(): Promise<void>;
}

/** Where an instance makes itself known. */
export interface Registrator {
  readonly name: string;
  /**
   * Registers `self` and keeps the registration alive.
   * @param signal gives up a registration that is still under way; one that is in place is ended by the `release` of its lease
   * @throws MeshError when the registry refuses for good; passing trouble is retried inside. The reason of `signal` when it aborts.
   */
  register(self: Instance, signal: AbortSignal): Promise<Lease>;
}

/** What a registry plugin makes: one connection that may both find and register. */
export interface Registry {
  readonly discovery: ServiceDiscovery;
  readonly registrator: Registrator | undefined;
}

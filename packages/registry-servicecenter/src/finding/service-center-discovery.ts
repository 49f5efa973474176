import {
  type Instance,
  type Logger,
  type Ports,
  type ProblemList,
  type RegistryState,
  type ServiceDiscovery,
  type ServiceQuery,
  type ServiceSnapshot,
  within,
} from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { listEverything } from './address-index.js';
import type { Finder } from './finder.js';

export interface DiscoveryParts {
  readonly center: ServiceCenter;
  readonly finder: Finder;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly environment: string;
  readonly refreshIntervalMs: number;
  /** Lists everything for the index of addresses. */
  readonly autoIpIndex: boolean;
  /** Of the watch and the index. */
  readonly problems: ProblemList;
  /** What keeps the own registration from being in place, and TLS files from use. */
  readonly ownProblems: () => readonly string[];
  /** Ends the other parts. */
  readonly onClose: () => Promise<void>;
}

/** Closing must not hold up the end of the process when service-center hangs. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Finds services in service-center: those that are asked for, and no others. */
export class ServiceCenterDiscovery implements ServiceDiscovery {
  readonly name = 'servicecenter';
  readonly #end = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: DiscoveryParts) {}

  /**
   * Yields the service as it is as soon as service-center has answered, then whenever it changed; never throws because of
   * service-center. A reader that is slow gets the latest snapshot only. `app:name` means the service of one application.
   */
  async *watch({ service }: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    if (ended.aborted) return;
    const wanted = this.parts.finder.want(service);
    try {
      let seen: string | undefined;
      while (!ended.aborted) {
        const snapshot = wanted.snapshot(seen);
        if (snapshot === undefined) {
          await wanted.changes.next(ended);
        } else {
          seen = snapshot.revision;
          yield snapshot;
        }
      }
    } finally {
      this.parts.finder.leave(wanted);
    }
  }

  /**
   * Yields all instances of all services, at once and after each change. Without `autoIPIndex` nobody has asked for that: it yields
   * nobody once, when service-center answers, and so tells that it can be asked.
   * @throws ServiceCenterError when service-center cannot be asked
   */
  async *watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    const { center, environment, refreshIntervalMs, ports, logger, problems, finder, autoIpIndex } = this.parts;
    if (!autoIpIndex) {
      await center.nodes(ended);
      finder.answered();
      yield [];
      await new Promise<void>((resolve) => {
        if (ended.aborted) resolve();
        else ended.addEventListener('abort', () => resolve(), { once: true });
      });
      return;
    }
    try {
      for await (const instances of listEverything(
        ...([center, environment, refreshIntervalMs, ports, logger, problems.add, ended] as const),
      )) {
        finder.answered();
        yield instances;
      }
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }

  state(): RegistryState {
    const { finder, problems, ownProblems } = this.parts;
    const state = finder.state();
    return { ...state, problems: [...ownProblems(), ...state.problems, ...problems.all] };
  }

  /** Ends every watch and releases the registrations of this registry. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end.abort();
    const { ports, finder, onClose, center } = this.parts;
    await within(ports.timers, CLOSE_TIMEOUT_MS, Promise.allSettled([finder.close(), onClose()]));
    center.close();
  }
}

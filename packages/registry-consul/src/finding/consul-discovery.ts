import {
  within,
  type Instance,
  type Ports,
  type RegistryState,
  type ServiceDiscovery,
  type ServiceQuery,
  type ServiceSnapshot,
} from '@mesher/core';
import type { ConsulClient } from '../client/consul-client.js';
import { ConsulError } from '../client/consul-error.js';
import { listEverything, type IndexSettings } from './address-index.js';
import type { ConsulFinder } from './consul-finder.js';

export interface DiscoveryParts {
  readonly client: ConsulClient;
  readonly finder: ConsulFinder;
  readonly ports: Ports;
  /** How everything is listed for the index of addresses; undefined when nobody wants it. */
  readonly index: IndexSettings | undefined;
  /** What keeps the own registration from being in place. */
  readonly registrationProblems: () => readonly string[];
  /** Ends the other parts. */
  readonly onClose: () => Promise<void>;
}

/** Closing must not hold up the end of the process when Consul hangs. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Finds services in Consul: those that are asked for, and no others. */
export class ConsulDiscovery implements ServiceDiscovery {
  readonly name = 'consul';
  readonly #end = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(private readonly parts: DiscoveryParts) {}

  /**
   * Yields the service as it is as soon as Consul has answered, then whenever it changed; never throws because of Consul. A reader that
   * is slow gets the latest snapshot only.
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
   * Yields all instances of all services, at once and after changes. Without `autoIPIndex` nobody has asked for that: it yields nobody
   * once, when Consul answers, and so tells that it can be asked.
   * @throws ConsulError when Consul cannot be asked
   */
  async *watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    const { client, finder, ports, index } = this.parts;
    try {
      if (index === undefined) {
        const leader = await client.leader(ended);
        if (leader === '') throw new ConsulError('CONSUL_UNREACHABLE', `Consul at ${client.origin} has no leader`);
        finder.answered();
        yield [];
        await endOf(ended);
        return;
      }
      for await (const instances of listEverything(client, index, ports, finder.addProblem, ended)) {
        finder.answered();
        yield instances;
      }
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }

  state(): RegistryState {
    const { client, finder, registrationProblems } = this.parts;
    const state = finder.state();
    return { ...state, problems: [...registrationProblems(), ...client.problems, ...state.problems] };
  }

  /** Ends every watch and releases the registrations of this registry. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end.abort();
    const { ports, finder, onClose, client } = this.parts;
    await within(ports.timers, CLOSE_TIMEOUT_MS, Promise.allSettled([finder.close(), onClose()]));
    client.close();
  }
}

function endOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { messageOf } from '../../errors.js';
import type { Timers } from '../../ports/ports.js';
import { within } from '../../ports/within.js';
import type { RegistryState, ServiceDiscovery, ServiceQuery, ServiceSnapshot } from '../contracts.js';
import type { Instance } from '../instance.js';
import type { ChangeSignal } from './change-signal.js';

/** A service that somebody watches. */
export interface RemoteService {
  readonly changes: ChangeSignal;
  /** What is known of it; undefined while that has the revision `seen`, or is nothing. */
  snapshot(seen: string | undefined): ServiceSnapshot | undefined;
}

/** Keeps what is known of the services that somebody watches up to date. */
export interface RemoteFinder<Service extends RemoteService> {
  /** @returns the service, to be given back with {@link leave} */
  want(name: string): Service;
  leave(wanted: Service): void;
  /** The registry answered, perhaps somebody else. */
  answered(): void;
  state(): RegistryState;
  close(): Promise<void>;
}

export interface RemoteDiscoveryParts<Service extends RemoteService> {
  readonly finder: RemoteFinder<Service>;
  readonly timers: Timers;
  /** Resolves when the registry can be asked; throws when it cannot. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
  /** All instances, at once and after changes, for the index of addresses; undefined when nobody wants it. */
  readonly listEverything: ((signal: AbortSignal) => AsyncIterable<readonly Instance[]>) | undefined;
  /** Complaints besides those of the finder. */
  readonly problems: () => readonly string[];
  /** Ends the other parts. */
  readonly onClose: () => Promise<void>;
  /** Ends the client when nobody needs it any more. */
  readonly closeClient: () => void;
}

/** Closing must not hold up the end of the process when the registry hangs. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Finds services in a registry on the network: those that are asked for, and no others. */
export class RemoteDiscovery<Service extends RemoteService = RemoteService> implements ServiceDiscovery {
  readonly #end = new AbortController();
  #closing: Promise<void> | undefined;
  /** Why everything could not be listed, or the registry not be asked at all; undefined when it was. */
  #trouble: string | undefined;

  constructor(
    readonly name: string,
    private readonly parts: RemoteDiscoveryParts<Service>,
  ) {}

  /**
   * Yields the service as it is as soon as the registry has answered, then whenever it changed; never throws because of the registry.
   * A reader that is slow gets the latest snapshot only.
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
   * Yields all instances of all services, at once and after changes. Where nobody wants the index of addresses it yields nobody once,
   * when the registry answers, and so tells that it can be asked.
   * @throws what the client throws when the registry cannot be asked
   */
  async *watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    const ended = AbortSignal.any([signal, this.#end.signal]);
    const { ask, listEverything } = this.parts;
    try {
      if (listEverything === undefined) {
        await ask(ended);
        this.#answered();
        yield [];
        await endOf(ended);
        return;
      }
      for await (const instances of listEverything(ended)) {
        this.#answered();
        yield instances;
      }
    } catch (error) {
      if (ended.aborted) return;
      this.#trouble = messageOf(error);
      throw error;
    }
  }

  state(): RegistryState {
    const { finder, problems } = this.parts;
    const state = finder.state();
    const all = [...problems(), ...state.problems];
    const trouble = this.#trouble;
    if (trouble === undefined) return { ...state, problems: all };
    // Services that are watched may be well while the list of everything is not.
    if (state.freshness === 'fresh') return { ...state, problems: [...all, `all services: ${trouble}`] };
    return { ...state, lastError: state.lastError ?? trouble, problems: all };
  }

  /** Ends every watch and releases the registrations of this registry. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #answered(): void {
    this.#trouble = undefined;
    this.parts.finder.answered();
  }

  async #close(): Promise<void> {
    this.#end.abort();
    const { timers, finder, onClose, closeClient } = this.parts;
    await within(timers, CLOSE_TIMEOUT_MS, Promise.allSettled([finder.close(), onClose()]));
    closeClient();
  }
}

function endOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

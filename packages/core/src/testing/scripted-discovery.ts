import type { RegistryState, ServiceDiscovery, ServiceQuery, ServiceSnapshot } from '../registry/contracts.js';
import type { Instance } from '../registry/instance.js';
import { ScriptFeed } from './script-feed.js';

/** The subject of {@link ServiceDiscovery.watchAll} among the services. */
const ALL = Symbol('all services');

type Subject = string | typeof ALL;

/**
 * A registry in memory that does what a test says: publish, stay silent, throw, end. Like a real one it gives a new watch the latest
 * snapshot at once.
 *
 * ```ts
 * const discovery = new ScriptedDiscovery();
 * discovery.publish('world', [instance]);
 * discovery.fail('world', new Error('connection lost'));
 * ```
 */
export class ScriptedDiscovery implements ServiceDiscovery {
  readonly name = 'scripted';
  isClosed = false;
  /** What {@link state} answers. */
  currentState: RegistryState = { freshness: 'fresh', lastSuccessAt: undefined, lastError: undefined, problems: [] };
  readonly #latest = new Map<Subject, unknown>();
  readonly #feeds = new Map<Subject, Set<ScriptFeed<unknown>>>();
  readonly #begun = new Map<Subject, number>();
  #refusal: Error | undefined;
  #revision = 0;

  /** A new snapshot: the service exists with these instances. */
  publish(service: string, instances: readonly Instance[]): void {
    this.publishSnapshot({ service, exists: true, revision: `r${++this.#revision}`, instances });
  }

  /** A new snapshot: there is no such service. */
  publishAbsent(service: string): void {
    this.publishSnapshot({ service, exists: false, revision: `r${++this.#revision}`, instances: [] });
  }

  publishSnapshot(snapshot: ServiceSnapshot): void {
    this.#push(snapshot.service, snapshot);
  }

  /** A new list of everything. */
  publishAll(instances: readonly Instance[]): void {
    this.#push(ALL, instances);
  }

  /** Every running watch of the service, or of everything, throws. */
  fail(service?: string, error: Error = new Error('the registry has trouble')): void {
    for (const feed of this.#feedsOf(service ?? ALL)) feed.fail(error);
  }

  /** Every running watch of the service, or of everything, ends without an error. */
  end(service?: string): void {
    for (const feed of this.#feedsOf(service ?? ALL)) feed.end();
  }

  /** From now on every new watch throws at once; `undefined` takes it back. */
  refuse(error: Error | undefined): void {
    this.#refusal = error;
  }

  /** Watches of the service, or of everything, that are running. */
  running(service?: string): number {
    return this.#feedsOf(service ?? ALL).size;
  }

  /** How often a watch of the service, or of everything, was begun. */
  begun(service?: string): number {
    return this.#begun.get(service ?? ALL) ?? 0;
  }

  watch({ service }: ServiceQuery, signal: AbortSignal): AsyncIterable<ServiceSnapshot> {
    return this.#watch(service, signal) as AsyncIterable<ServiceSnapshot>;
  }

  watchAll(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    return this.#watch(ALL, signal) as AsyncIterable<readonly Instance[]>;
  }

  state(): RegistryState {
    return this.currentState;
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const subject of [...this.#feeds.keys()]) for (const feed of this.#feedsOf(subject)) feed.end();
    return Promise.resolve();
  }

  #watch(subject: Subject, signal: AbortSignal): AsyncIterable<unknown> {
    this.#begun.set(subject, (this.#begun.get(subject) ?? 0) + 1);
    if (this.#refusal !== undefined) throw this.#refusal;
    const feed = new ScriptFeed<unknown>();
    const feeds = this.#feedsOf(subject);
    feeds.add(feed);
    if (this.#latest.has(subject)) feed.push(this.#latest.get(subject));
    return feed.read(signal, () => void feeds.delete(feed));
  }

  #push(subject: Subject, value: unknown): void {
    this.#latest.set(subject, value);
    for (const feed of this.#feedsOf(subject)) feed.push(value);
  }

  #feedsOf(subject: Subject): Set<ScriptFeed<unknown>> {
    let feeds = this.#feeds.get(subject);
    if (feeds === undefined) {
      feeds = new Set();
      this.#feeds.set(subject, feeds);
    }
    return feeds;
  }
}

import {
  areSameInstances,
  inSlices,
  isSameInstance,
  itemsOf,
  membersOf,
  pause,
  readingInstances,
  type Instance,
  type ListedInstances,
  type Ports,
} from '@mesher/core';
import type { ConsulClient } from '../client/consul-client.js';
import { ConsulError } from '../client/consul-error.js';
import { catalogName, nameEntries, readCatalogEntry } from '../instances/read-entries.js';

export interface IndexSettings {
  readonly environment: string | undefined;
  readonly waitMs: number;
  /** Shortest time between two questions. */
  readonly minIntervalMs: number;
  /** Shortest time between two lists of everything. */
  readonly refreshIntervalMs: number;
  /** How long it is doubted that most of what was listed is gone. */
  readonly emptyGraceMs: number;
}

/** Services that are asked for at once: with thousands of them a list takes a while, and calls nobody's attention. */
const AT_ONCE = 4;

/** What servers of Consul register themselves: it calls nobody, and claims addresses at which others do. */
const CONSUL_ITSELF = 'consul';

/** Fewer instances than this may go in one step, unless they are all; of more, less than this share. As for a single service. */
const FEW = 5;
const MASS = 0.8;

/** All instances of all services, for the index of addresses: who calls is known by where the call comes from. */
export class AddressIndex {
  /** Outlives a list that broke off: an agent that lost its memory was started again, which ends every connection to it. */
  #shown: ListedInstances | undefined;
  /** Monotonic; undefined while there is no doubt. */
  #doubtsUntil: number | undefined;

  constructor(
    private readonly client: ConsulClient,
    private readonly settings: IndexSettings,
    private readonly ports: Ports,
    private readonly onProblem: (problem: string) => void,
  ) {}

  /**
   * Everything, at once and after changes. Consul has no list of it: it tells when one of the services changed, and then each is asked
   * for. That most of what was listed is gone is believed after a while only: so answers an agent that lost its memory until all have
   * registered again.
   * @throws ConsulError when Consul cannot be asked; whoever reads keeps what it has, and begins anew
   */
  async *list(signal: AbortSignal): AsyncIterable<readonly Instance[]> {
    const { waitMs, minIntervalMs, refreshIntervalMs } = this.settings;
    let index = 0n;
    let isFirst = true;
    while (!signal.aborted) {
      const { content, ...facts } = await this.client.serviceNames(
        { index, waitMs: index === 0n ? 0 : waitMs },
        signal,
      );
      if (typeof content !== 'object' || content === null || Array.isArray(content)) {
        throw new ConsulError('CONSUL_ANSWER', 'the answer of Consul is no list of services');
      }
      const isNew = facts.index !== index;
      index = facts.index < index ? 0n : facts.index;
      if (isNew) {
        const names = Object.keys(membersOf(content)).filter((name) => name !== CONSUL_ITSELF);
        const found = await this.#readAll(names, signal);
        if (facts.isFiltered || found.isFiltered) this.#doubtFiltered(found.instances);
        const isOther = this.#take(found.instances);
        if (this.#doubtsUntil !== undefined) index = 0n;
        if (isOther || isFirst) yield [...(this.#shown?.values() ?? [])];
        isFirst = false;
      }
      // Drawn from all of the time, so that the clients of a large mesh do not ask for everything in the same second.
      const share = 0.5 + 0.5 * this.ports.random.next();
      await pause(this.ports, isNew ? refreshIntervalMs * share : minIntervalMs, signal);
    }
  }

  /** @throws ConsulError when most of what was listed is hidden now: what was known stays */
  #doubtFiltered(found: ListedInstances): void {
    if (this.#shown === undefined || !lacksMost(found, this.#shown)) return;
    throw new ConsulError('CONSUL_DENIED', 'the token may not see most services any more (service:read and node:read)');
  }

  /** @returns whether there is something else to show */
  #take(found: ListedInstances): boolean {
    const shown = this.#shown;
    const now = this.ports.clock.now();
    if (shown !== undefined && lacksMost(found, shown)) {
      this.#doubtsUntil ??= now + this.settings.emptyGraceMs;
      if (now < this.#doubtsUntil) return false;
    }
    this.#doubtsUntil = undefined;
    if (shown !== undefined && areSameInstances(shown, found)) return false;
    this.#shown = found;
    return true;
  }

  /** @returns the instances by service and id; what is as before keeps its objects */
  async #readAll(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly instances: ListedInstances; readonly isFiltered: boolean }> {
    const { environment } = this.settings;
    let isFiltered = false;
    const all = new Map<string, Instance>();
    const rest = [...names];
    const work = async (): Promise<void> => {
      for (let service = rest.pop(); service !== undefined; service = rest.pop()) {
        const answer = await this.client.catalogOf(service, signal);
        isFiltered ||= answer.isFiltered;
        const items = itemsOf(answer.content);
        const ids = nameEntries(items, catalogName.id, catalogName.node);
        const rules = { service, environment, warning: 'in' as const };
        let at = 0;
        const read = (item: unknown): Instance | undefined =>
          readCatalogEntry(item, ids[at++] ?? '', rules, this.onProblem);
        for (const [id, instance] of await inSlices(readingInstances(items, read))) {
          const key = `${service}/${id}`;
          const before = this.#shown?.get(key);
          all.set(key, before !== undefined && isSameInstance(before, instance) ? before : instance);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
    return { instances: all, isFiltered };
  }
}

/** Whether all of `shown` is gone, or most of it. */
function lacksMost(found: ListedInstances, shown: ListedInstances): boolean {
  let gone = 0;
  for (const key of shown.keys()) if (!found.has(key)) gone++;
  return gone > 0 && (gone === shown.size || (shown.size > FEW && gone >= shown.size * MASS));
}

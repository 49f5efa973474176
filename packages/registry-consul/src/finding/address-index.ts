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
}

/** Services that are asked for at once: with thousands of them a list takes a while, and calls nobody's attention. */
const AT_ONCE = 4;

/**
 * All instances of all services, at once and after changes, for the index of addresses: who calls is known by where the call comes from.
 * Consul has no list of everything: it tells when one of the services changed, and then each is asked for. An answer that lists nothing
 * after one that listed something is believed when it comes twice.
 * @throws ConsulError when Consul cannot be asked; whoever reads keeps what it has, and begins anew
 */
export async function* listEverything(
  client: ConsulClient,
  settings: IndexSettings,
  ports: Ports,
  onProblem: (problem: string) => void,
  signal: AbortSignal,
): AsyncIterable<readonly Instance[]> {
  let index = 0n;
  let shown: ListedInstances | undefined;
  let wasEmpty = true;
  while (!signal.aborted) {
    const question = { index, waitMs: index === 0n ? 0 : settings.waitMs };
    const { content, ...facts } = await client.serviceNames(question, signal);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw new ConsulError('CONSUL_ANSWER', 'the answer of Consul is no list of services');
    }
    const isNew = facts.index !== index;
    index = facts.index < index ? 0n : facts.index;
    if (isNew) {
      const names = Object.keys(membersOf(content));
      const found = await readAll(client, names, settings, shown ?? new Map<string, Instance>(), onProblem, signal);
      const isDoubtful = found.size === 0 && !wasEmpty;
      wasEmpty = found.size === 0;
      if (isDoubtful) index = 0n;
      else if (shown === undefined || !areSameInstances(shown, found)) {
        shown = found;
        yield [...found.values()];
      }
    }
    // Drawn from all of the time, so that the clients of a large mesh do not ask for everything in the same second.
    const share = 0.5 + 0.5 * ports.random.next();
    await pause(ports, isNew ? settings.refreshIntervalMs * share : settings.minIntervalMs, signal);
  }
}

/** @returns the instances by service and id; what is as in `known` keeps its objects */
async function readAll(
  client: ConsulClient,
  names: readonly string[],
  { environment }: IndexSettings,
  known: ListedInstances,
  onProblem: (problem: string) => void,
  signal: AbortSignal,
): Promise<ListedInstances> {
  const all = new Map<string, Instance>();
  const rest = [...names];
  const work = async (): Promise<void> => {
    for (let service = rest.pop(); service !== undefined; service = rest.pop()) {
      const items = itemsOf((await client.catalogOf(service, signal)).content);
      const ids = nameEntries(items, catalogName.id, catalogName.node);
      const rules = { service, environment, warning: 'in' as const };
      let at = 0;
      const read = (item: unknown): Instance | undefined => readCatalogEntry(item, ids[at++] ?? '', rules, onProblem);
      for (const [id, instance] of await inSlices(readingInstances(items, read))) {
        const key = `${service}/${id}`;
        const before = known.get(key);
        all.set(key, before !== undefined && isSameInstance(before, instance) ? before : instance);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
  return all;
}

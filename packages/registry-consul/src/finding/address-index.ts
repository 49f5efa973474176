import { itemsOf, membersOf, pause, type Instance, type Ports } from '@mesher/core';
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
  let shown: string | undefined;
  let wasEmpty = true;
  while (!signal.aborted) {
    const question = { index, waitMs: index === 0n ? 0 : settings.waitMs };
    const { content, ...facts } = await client.serviceNames(question, signal);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw new ConsulError('CONSUL_ANSWER', 'the answer of Consul is no list of services');
    }
    const isNew = facts.index !== index;
    index = facts.index < index ? 0n : facts.index;
    const names = Object.keys(membersOf(content));
    const instances = isNew ? await readAll(client, names, settings, onProblem, signal) : undefined;
    const isDoubtful = instances?.length === 0 && !wasEmpty;
    if (instances !== undefined) wasEmpty = instances.length === 0;
    const digest = instances === undefined || isDoubtful ? shown : digestOf(instances);
    if (isDoubtful) index = 0n;
    if (instances !== undefined && digest !== shown) {
      shown = digest;
      yield instances;
    }
    // Drawn from all of the time, so that the clients of a large mesh do not ask for everything in the same second.
    const share = 0.5 + 0.5 * ports.random.next();
    await pause(ports, isNew ? settings.refreshIntervalMs * share : settings.minIntervalMs, signal);
  }
}

async function readAll(
  client: ConsulClient,
  names: readonly string[],
  { environment }: IndexSettings,
  onProblem: (problem: string) => void,
  signal: AbortSignal,
): Promise<readonly Instance[]> {
  const all: Instance[] = [];
  const rest = [...names];
  const work = async (): Promise<void> => {
    for (let service = rest.pop(); service !== undefined; service = rest.pop()) {
      const items = itemsOf((await client.catalogOf(service, signal)).content);
      const ids = nameEntries(items, catalogName.id, catalogName.node);
      for (const [at, item] of items.entries()) {
        const rules = { service, environment, warning: 'in' as const };
        const instance = readCatalogEntry(item, ids[at] ?? '', rules, onProblem);
        if (instance !== undefined) all.push(instance);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, work));
  return all;
}

/** Equal for what makes no difference to the index. */
function digestOf(instances: readonly Instance[]): string {
  return instances
    .map(({ service, instanceId, addresses }) => {
      const where = [...addresses.values()].map(({ host, port }) => `${host}:${port}`);
      return `${service}/${instanceId}/${where.join(',')}`;
    })
    .sort()
    .join(' ');
}

import {
  areSameInstances,
  type Instance,
  ITEMS_PER_SLICE,
  jittered,
  type ListedInstances,
  type Logger,
  nextTurn,
  pause,
  type Ports,
} from '@mesher/core';
import type { ServiceCenter } from '../client/service-center.js';
import { membersOf, textOf } from '../client/wire-model.js';
import { readInSlices } from './read-in-slices.js';

/**
 * All instances of all services, again and again, for the index of addresses: who calls is known by where the call comes from. An answer
 * that lists nothing after one that listed something is believed when it comes twice.
 * @throws ServiceCenterError when service-center cannot be asked; whoever reads keeps what it has, and begins anew
 */
export async function* listEverything(
  center: ServiceCenter,
  environment: string,
  refreshIntervalMs: number,
  ports: Ports,
  logger: Logger,
  onProblem: (problem: string) => void,
  signal: AbortSignal,
): AsyncIterable<readonly Instance[]> {
  let shown: ReadonlyMap<string, ListedInstances> = new Map();
  let isShown = false;
  let wasEmpty = true;
  while (!signal.aborted) {
    const found = await readEverything(center, environment, onProblem, shown, signal);
    const isEmpty = [...found.values()].every(({ size }) => size === 0);
    const isDoubtful = isEmpty && !wasEmpty;
    wasEmpty = isEmpty;
    if (isDoubtful) logger.warn({}, 'service-center lists no instance at all; the index of addresses stays for now');
    if (!isShown || (!isDoubtful && !areSame(found, shown))) {
      isShown = true;
      shown = found;
      yield [...found.values()].flatMap((instances) => [...instances.values()]);
    }
    await pause(ports, jittered(ports, refreshIntervalMs), signal);
  }
}

/**
 * Instances by the id of their service; those that are as before keep their objects. The answer itself, megabytes of it, is let go when
 * this returns: in the loop above it would live until the next one.
 */
async function readEverything(
  center: ServiceCenter,
  environment: string,
  onProblem: (problem: string) => void,
  known: ReadonlyMap<string, ListedInstances>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedInstances>> {
  const details = await center.everything(signal);
  const all = new Map<string, ListedInstances>();
  let inSlice = 0;
  for (const detail of details) {
    const { microService, instances } = membersOf(detail);
    const service = membersOf(microService);
    const name = textOf(service['serviceName']);
    if (name === undefined || (textOf(service['environment']) ?? '') !== environment) continue;
    const at = { service: name, app: textOf(service['appId']) ?? 'default', version: textOf(service['version']) };
    const key = `${at.app}/${name}/${at.version ?? ''}`;
    const listed = await readInSlices(instances, at, onProblem, known.get(key));
    all.set(key, listed);
    inSlice += 1 + listed.size;
    if (inSlice < ITEMS_PER_SLICE) continue;
    inSlice = 0;
    await nextTurn();
  }
  return all;
}

function areSame(one: ReadonlyMap<string, ListedInstances>, other: ReadonlyMap<string, ListedInstances>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, instances] of one) {
    const others = other.get(key);
    if (others === undefined || !areSameInstances(instances, others)) return false;
  }
  return true;
}

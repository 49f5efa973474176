import { type Instance, jittered, type Logger, pause, type Ports } from '@mesher/core';
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
  let shown: string | undefined;
  let wasEmpty = true;
  while (!signal.aborted) {
    const instances = await readEverything(await center.everything(signal), environment, onProblem);
    const isDoubtful = instances.length === 0 && !wasEmpty;
    wasEmpty = instances.length === 0;
    if (isDoubtful) logger.warn({}, 'service-center lists no instance at all; the index of addresses stays for now');
    const digest = isDoubtful ? shown : digestOf(instances);
    if (digest !== shown) {
      shown = digest;
      yield instances;
    }
    await pause(ports, jittered(ports, refreshIntervalMs), signal);
  }
}

async function readEverything(
  details: readonly unknown[],
  environment: string,
  onProblem: (problem: string) => void,
): Promise<readonly Instance[]> {
  const all: Instance[] = [];
  for (const detail of details) {
    const { microService, instances } = membersOf(detail);
    const service = membersOf(microService);
    const name = textOf(service['serviceName']);
    if (name === undefined || (textOf(service['environment']) ?? '') !== environment) continue;
    const at = { service: name, app: textOf(service['appId']) ?? 'default', version: textOf(service['version']) };
    for (const instance of await readInSlices(instances, at, onProblem)) all.push(instance);
  }
  return all;
}

/** Equal for what makes no difference to the index. */
function digestOf(instances: readonly Instance[]): string {
  return instances
    .map(({ service, instanceId, status, addresses }) => {
      const where = [...addresses.values()].map(({ host, port }) => `${host}:${port}`);
      return `${service}/${instanceId}/${status}/${where.join(',')}`;
    })
    .sort()
    .join(' ');
}

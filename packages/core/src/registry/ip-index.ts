import { isIPv6 } from 'node:net';
import { atOnce, ITEMS_PER_SLICE, type Steps } from '../slices/slices.js';
import type { Instance, InstanceStatus } from './instance.js';
import { canonicalIp } from './ip-address.js';

/** Whose address is this? Built from everything the registry lists; swapped as a whole. */
export interface IpIndex {
  /** An instance of the one service that is at `ip`; undefined when there is none, or several services share the address. */
  byIp(ip: string): Instance | undefined;
  /** An instance of the one service that listens at `ip:port`; undefined when there is none, or several services do. */
  byAddress(ip: string, port: number): Instance | undefined;
}

/** Instances that are gone, or on their way out: their address may belong to somebody else already. */
const LEAVING: ReadonlySet<InstanceStatus> = new Set(['DOWN', 'OUTOFSERVICE']);

/** An index over `instances`. An address that several services claim belongs to the one whose instance is alive. */
export function buildIpIndex(instances: readonly Instance[]): IpIndex {
  return atOnce(buildingIpIndex(instances));
}

/** The same in steps of some milliseconds. */
export function* buildingIpIndex(instances: readonly Instance[]): Steps<IpIndex> {
  const alive = new Claims();
  const leaving = new Claims();
  let inSlice = 0;
  for (const instance of instances) {
    if (inSlice++ === ITEMS_PER_SLICE) {
      inSlice = 1;
      yield;
    }
    const claims = LEAVING.has(instance.status) ? leaving : alive;
    for (const { host, port } of instance.addresses.values()) claims.add(canonicalIp(host), port, instance);
  }
  const find = (key: string): Instance | undefined => (alive.has(key) ? alive.get(key) : leaving.get(key));
  return {
    byIp: (ip) => find(spelled(ip)),
    byAddress: (ip, port) => find(keyOf(spelled(ip), port)),
  };
}

/** An index whose content comes later: plugins are made before the directory whose index they read. */
export class LateIpIndex implements IpIndex {
  #index: IpIndex | undefined;

  /** From now on, answers what `index` answers. */
  follow(index: IpIndex): void {
    this.#index = index;
  }

  byIp(ip: string): Instance | undefined {
    return this.#index?.byIp(ip);
  }

  byAddress(ip: string, port: number): Instance | undefined {
    return this.#index?.byAddress(ip, port);
  }
}

/** Instances by `ip` and by `ip|port`; undefined stands for an address that several services share. */
class Claims {
  readonly #instances = new Map<string, Instance | undefined>();

  add(ip: string, port: number, instance: Instance): void {
    this.#claim(ip, instance);
    this.#claim(keyOf(ip, port), instance);
  }

  has(key: string): boolean {
    return this.#instances.has(key);
  }

  get(key: string): Instance | undefined {
    return this.#instances.get(key);
  }

  #claim(key: string, instance: Instance): void {
    const known = this.#instances.get(key);
    if (!this.#instances.has(key)) this.#instances.set(key, instance);
    else if (known !== undefined && known.service !== instance.service) this.#instances.set(key, undefined);
  }
}

function keyOf(ip: string, port: number): string {
  return `${ip}|${port}`;
}

/** Look-ups are usually for IPv4, which has one spelling only. */
function spelled(ip: string): string {
  return ip.includes(':') && isIPv6(ip) ? canonicalIp(ip) : ip;
}

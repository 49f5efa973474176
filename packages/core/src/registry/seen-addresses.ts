import { ITEMS_PER_SLICE, type Steps } from '../slices/slices.js';
import { spokenAt } from './instance-choice.js';
import type { EndpointProtocol } from './endpoint.js';
import type { Instance, InstanceAddress } from './instance.js';

interface Seen {
  /** Instances that have the address. */
  holders: number;
  /** Monotonic milliseconds; 0 for an address of the first snapshot, which is not new. */
  readonly since: number;
}

/**
 * The addresses of a service, each with the time since which it is known. Instances that keep their object from one snapshot to the next
 * are not looked at again.
 */
export class SeenAddresses {
  readonly #seen = new Map<string, Seen>();
  #instances: ReadonlySet<Instance> = new Set();

  /** When the address was first in a snapshot; 0 for those of the first one and for unknown ones. */
  since(key: string): number {
    return this.#seen.get(key)?.since ?? 0;
  }

  /** Goes on to the instances of a new snapshot. @returns the keys of the addresses that nobody has any more */
  *update(instances: readonly Instance[], now: number): Steps<ReadonlySet<string>> {
    const since = this.#seen.size === 0 ? 0 : now;
    const before = this.#instances;
    const present = new Set<Instance>();
    let inSlice = 0;
    for (const instance of instances) {
      if (inSlice++ === ITEMS_PER_SLICE) {
        inSlice = 1;
        yield;
      }
      if (present.has(instance)) continue;
      present.add(instance);
      if (!before.has(instance)) this.#add(instance, since);
    }
    const gone = new Set<string>();
    for (const instance of before) {
      if (inSlice++ === ITEMS_PER_SLICE) {
        inSlice = 1;
        yield;
      }
      if (!present.has(instance)) this.#remove(instance, gone);
    }
    this.#instances = present;
    return gone;
  }

  #add(instance: Instance, since: number): void {
    for (const [name, address] of instance.addresses) {
      const key = endpointKey(address, spokenAt(name));
      const seen = this.#seen.get(key);
      if (seen === undefined) this.#seen.set(key, { holders: 1, since });
      else seen.holders++;
    }
  }

  #remove(instance: Instance, gone: Set<string>): void {
    for (const [name, address] of instance.addresses) {
      const key = endpointKey(address, spokenAt(name));
      const seen = this.#seen.get(key);
      if (seen === undefined || --seen.holders > 0) continue;
      this.#seen.delete(key);
      gone.add(key);
    }
  }
}

/** One address under two names is two endpoints: connections of HTTP/1 and of HTTP/2 have nothing in common but where they lead. */
export function endpointKey({ host, port }: InstanceAddress, speaks: EndpointProtocol): string {
  return `${host}|${port}|${speaks}`;
}

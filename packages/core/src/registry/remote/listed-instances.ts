import { ITEMS_PER_SLICE, type Steps } from '../../slices/slices.js';
import type { Instance } from '../instance.js';

/** Instances by their id, in the order in which the registry lists them. */
export type ListedInstances = ReadonlyMap<string, Instance>;

/**
 * Reads what a registry lists, in steps of some milliseconds. An instance that is as it was keeps its object: whoever comes after sees at
 * a glance what is new, and the memory of ten thousand is not taken anew with each answer. Of an id that occurs twice the last one counts.
 * @param read makes an instance of an item; undefined for one that is left out
 * @param known what was listed before
 */
export function* readingInstances(
  items: readonly unknown[],
  read: (item: unknown) => Instance | undefined,
  known?: ListedInstances,
): Steps<ListedInstances> {
  const found = new Map<string, Instance>();
  let inSlice = 0;
  for (const item of items) {
    if (inSlice === ITEMS_PER_SLICE) {
      inSlice = 0;
      yield;
    }
    inSlice++;
    const instance = read(item);
    if (instance === undefined) continue;
    const before = known?.get(instance.instanceId);
    found.set(instance.instanceId, before !== undefined && isSameInstance(before, instance) ? before : instance);
  }
  return found;
}

/** True when nothing that Mesher knows of an instance has changed. */
export function isSameInstance(one: Instance, other: Instance): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.service === other.service &&
    one.app === other.app &&
    one.version === other.version &&
    one.status === other.status &&
    one.weight === other.weight &&
    haveSameAddresses(one, other) &&
    haveSameTexts(one.metadata, other.metadata)
  );
}

/** True when both hold the same objects, in whatever order. */
export function areSameInstances(one: ListedInstances, other: ListedInstances): boolean {
  if (one.size !== other.size) return false;
  for (const [id, instance] of one) if (other.get(id) !== instance) return false;
  return true;
}

function haveSameAddresses({ addresses }: Instance, other: Instance): boolean {
  if (addresses.size !== other.addresses.size) return false;
  for (const [name, { host, port, tls }] of addresses) {
    const address = other.addresses.get(name);
    if (address === undefined || address.host !== host || address.port !== port || address.tls !== tls) return false;
  }
  return true;
}

function haveSameTexts(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}

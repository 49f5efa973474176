import type { Instance } from '../registry/instance.js';
import { compareVersions } from './semver.js';
import type { Subset } from './subset.js';

/** Stands for the newest version there is. */
export const LATEST = 'latest';

/** The address name of instances that were written down by hand: what no tag says is not known of them. */
const ANY_PROTOCOL = '*';

/** True when nobody has said to which application the instance belongs; it then counts as of the own one. */
export function hasUnknownApp(instance: Instance): boolean {
  return instance.app === '' || (instance.addresses.has(ANY_PROTOCOL) && instance.metadata.app === undefined);
}

/** Tags and the values that each may have. */
export type TagValues = ReadonlyMap<string, readonly string[]>;

/** The instances with certain tags: `version`, `app`, or any of their metadata. */
export class TagSubset implements Subset {
  readonly name: string;

  /**
   * @param tags with `app` always among them; `version: latest` is the newest one among the instances that take calls and have the other
   * tags
   * @param ownApp instances of an unknown application count as of this one
   */
  constructor(
    readonly tags: TagValues,
    private readonly ownApp: string,
    readonly whenEmpty: Subset['whenEmpty'],
  ) {
    this.name = [...tags]
      .filter(([tag, values]) => tag !== 'app' || tags.size === 1 || values[0] !== ownApp)
      .map(([tag, values]) => `${tag}=${values.join(',')}`)
      .join(' ');
  }

  select(instances: readonly Instance[]): readonly Instance[] {
    const members = this.members(instances);
    if (this.whenEmpty === 'fail' || members.some(takesCalls)) return members;
    return instances.filter((instance) => this.#has('app', instance));
  }

  /** The instances with the tags, whatever becomes of a call when there are none. */
  members(instances: readonly Instance[]): readonly Instance[] {
    const others = instances.filter((instance) => this.#hasTags(instance));
    if (this.tags.get('version')?.[0] !== LATEST) return others;
    const newest = newestVersion(others);
    return others.filter(({ version }) => newest !== undefined && compareVersions(version, newest) === 0);
  }

  #hasTags(instance: Instance): boolean {
    for (const [tag, values] of this.tags) {
      if (tag === 'version' && values[0] === LATEST) continue;
      if (!this.#has(tag, instance)) return false;
    }
    return true;
  }

  #has(tag: string, instance: Instance): boolean {
    const values = this.tags.get(tag) ?? [];
    if (tag === 'app' && hasUnknownApp(instance)) return values.includes(this.ownApp);
    const value = tagOf(instance, tag);
    return value !== undefined && values.includes(value);
  }
}

/** As far as can be told without the protocol of a call. */
function takesCalls({ status, weight }: Instance): boolean {
  return (status === 'UP' || status === 'TESTING') && weight > 0;
}

function tagOf(instance: Instance, tag: string): string | undefined {
  if (tag === 'version') return instance.version;
  if (tag === 'app') return instance.app;
  return Object.hasOwn(instance.metadata, tag) ? instance.metadata[tag] : undefined;
}

/** Of those that take calls: an instance that is down or drained must not make everybody wait for its version. */
function newestVersion(instances: readonly Instance[]): string | undefined {
  let newest: string | undefined;
  for (const instance of instances) {
    const { version } = instance;
    if (!takesCalls(instance)) continue;
    if (newest === undefined || compareVersions(version, newest) > 0) newest = version;
  }
  return newest;
}

/** Makes subsets; the same tags give the same object, so that plans keep what they have compiled for it over a change of rules. */
export class Subsets {
  #present = new Map<string, TagSubset>();
  #previous = new Map<string, TagSubset>();

  /** Of what was made before, only what is asked for again stays. */
  renew(): void {
    this.#previous = this.#present;
    this.#present = new Map();
  }

  of(tags: TagValues, ownApp: string, whenEmpty: Subset['whenEmpty']): TagSubset {
    const key = JSON.stringify([ownApp, whenEmpty, ...tags]);
    const subset = this.#present.get(key) ?? this.#previous.get(key) ?? new TagSubset(tags, ownApp, whenEmpty);
    this.#present.set(key, subset);
    return subset;
  }
}

import { ConfigNode } from '../tree/config-node.js';
import type { EffectiveValue, ReadContext } from '../schema/read-context.js';
import { formatOrigin } from '../problem.js';
import { RESTART_KEYS, restartKeyOf } from './restart-keys.js';

/** A change that takes effect with the next start only. */
export interface RestartNeed {
  readonly key: string;
  /** The value that stays in effect; `***` for a secret, undefined when there is none. */
  readonly running: string | undefined;
  /** The value that was found, likewise. */
  readonly found: string | undefined;
  /** Where the found value is written, in words. */
  readonly at: string;
  readonly because: string;
}

/** A key whose value differs between two configurations. */
export interface ConfigChange {
  readonly key: string;
  /** Undefined where the key has no value; `***` for a secret. */
  readonly before: PlacedValue | undefined;
  readonly after: PlacedValue | undefined;
  /** Why the change needs a restart; undefined when it takes effect while running. */
  readonly restart: string | undefined;
}

export interface PlacedValue {
  readonly value: string;
  /** Where it is written, in words. */
  readonly at: string;
}

/** What a process was started with; later configurations keep its values where a change needs a restart. */
export class RunningConfiguration {
  readonly #shown: ReadonlyMap<string, EffectiveValue>;

  /** Made by `loadConfiguration`. */
  constructor(
    private readonly tree: ConfigNode,
    private readonly values: ReadonlyMap<string, string>,
    effective: readonly EffectiveValue[],
  ) {
    this.#shown = new Map(effective.map((value) => [value.key, value]));
  }

  /** Where a configuration that was just read differs from this one at keys that cannot change while running. */
  differences(context: ReadContext): RestartNeed[] {
    const found = new Map(context.effective.map((value) => [value.key, value]));
    const keys = new Set([...this.values.keys(), ...context.values.keys()]);
    const needs: RestartNeed[] = [];
    for (const key of keys) {
      const entry = restartKeyOf(key);
      if (entry === undefined || this.values.get(key) === context.values.get(key)) continue;
      const origin = found.get(key)?.origin;
      needs.push({
        key,
        running: this.#shown.get(key)?.value,
        found: found.get(key)?.value,
        at: origin === undefined ? 'no longer set' : formatOrigin(origin),
        because: entry.because,
      });
    }
    return needs.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Key by key, what would change if `next` took the place of this configuration; sorted. Secrets are compared, not shown. */
  changesTo(next: RunningConfiguration): ConfigChange[] {
    const keys = [...new Set([...this.values.keys(), ...next.values.keys()])].sort();
    return keys
      .filter((key) => this.values.get(key) !== next.values.get(key))
      .map((key) => ({
        key,
        before: this.#placed(key),
        after: next.#placed(key),
        restart: restartKeyOf(key)?.because,
      }));
  }

  /** Every value as it may be shown, by key. */
  shown(): Map<string, PlacedValue> {
    return new Map([...this.#shown.keys()].sort().map((key) => [key, this.#placed(key) as PlacedValue]));
  }

  #placed(key: string): PlacedValue | undefined {
    const found = this.#shown.get(key);
    return found === undefined ? undefined : { value: found.value, at: formatOrigin(found.origin) };
  }

  /** Puts the values of this configuration into another tree, at all keys that cannot change while running. */
  graftInto(tree: ConfigNode): void {
    for (const { prefix } of RESTART_KEYS) graft(prefix.split('.'), this.tree, tree);
  }
}

function graft(path: readonly string[], from: ConfigNode, into: ConfigNode): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  const source = from.children.get(key);
  if (rest.length === 0) {
    if (source === undefined) into.children.delete(key);
    else into.children.set(key, source);
    return;
  }
  let target = into.children.get(key);
  if (target === undefined) {
    if (source === undefined) return;
    target = new ConfigNode(source.origin);
    into.children.set(key, target);
  }
  graft(rest, source ?? new ConfigNode({ layer: 'default' }), target);
}

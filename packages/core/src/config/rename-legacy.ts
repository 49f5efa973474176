import type { Notice } from './problem.js';
import type { ConfigEntry } from './tree/config-node.js';
import type { LegacyKey } from './legacy-keys.js';

/** A key cannot be renamed more often than this; it guards against a table that runs in circles. */
const MAX_RENAMES = 4;

interface Rename {
  readonly rule: LegacyKey;
  readonly path: readonly string[];
  /** How many parts of the old key the rule covered, and how many replace them. */
  readonly oldLength: number;
  readonly newLength: number;
}

/** Gives old spellings their present names, with one notice per old group and file. */
export class LegacyRenamer {
  readonly #rules: readonly {
    readonly rule: LegacyKey;
    readonly old: readonly string[];
    readonly now: readonly string[];
  }[];

  /** @throws TypeError when a rule carries over a part that it does not match */
  constructor(rules: readonly LegacyKey[]) {
    this.#rules = rules
      .map((rule) => ({ rule, old: rule.old.split('.'), now: rule.now.split('.') }))
      .sort((a, b) => b.old.length - a.old.length || wildcards(a.old) - wildcards(b.old));
    for (const { rule, old, now } of this.#rules) {
      if (wildcards(now) > wildcards(old)) {
        throw new TypeError(`'${rule.now}' has more wildcards than '${rule.old}'`);
      }
    }
  }

  /** The entries under their present names, and the notices that name them. */
  rename(entries: readonly ConfigEntry[]): { entries: ConfigEntry[]; notices: Notice[] } {
    const notices = new Map<string, Notice>();
    const renamed = entries.map((entry) => this.#renameEntry(entry, notices));
    return { entries: renamed, notices: [...notices.values()] };
  }

  /** The present name of a key. */
  presentPath(path: readonly string[]): readonly string[] {
    let current = path;
    for (let round = 0; round < MAX_RENAMES; round += 1) {
      const step = this.#match(current);
      if (step === undefined) {
        break;
      }
      current = step.path;
    }
    return current;
  }

  #renameEntry(entry: ConfigEntry, notices: Map<string, Notice>): ConfigEntry {
    let { path, keyOrigins } = entry;
    for (let round = 0; round < MAX_RENAMES; round += 1) {
      const step = this.#match(path);
      if (step === undefined) {
        break;
      }
      const oldKey = path.slice(0, step.oldLength).join('.');
      const newKey = step.path.slice(0, step.newLength).join('.');
      const origin = keyOrigins[step.oldLength - 1] ?? entry.leaf.origin;
      if (!notices.has(oldKey)) {
        const message = `'${oldKey}' still works; its present name is '${newKey}'`;
        notices.set(oldKey, { kind: 'renamed-key', origin, path: newKey, message });
      }
      keyOrigins = [...Array.from({ length: step.newLength }, () => origin), ...keyOrigins.slice(step.oldLength)];
      path = step.path;
    }
    return path === entry.path ? entry : { path, keyOrigins, leaf: entry.leaf, renamedFrom: entry.path.join('.') };
  }

  #match(path: readonly string[]): Rename | undefined {
    for (const { rule, old, now } of this.#rules) {
      const covered = old.length <= path.length && old.every((part, index) => part === '*' || part === path[index]);
      if (!covered || (rule.valueOnly === true && path.length !== old.length)) {
        continue;
      }
      const carried = path.filter((_part, index) => old[index] === '*');
      const head = now.map((part) => (part === '*' ? (carried.shift() ?? part) : part));
      return { rule, path: [...head, ...path.slice(old.length)], oldLength: old.length, newLength: head.length };
    }
    return undefined;
  }
}

function wildcards(parts: readonly string[]): number {
  return parts.filter((part) => part === '*').length;
}

import type { ConfigNode } from '../tree/config-node.js';
import { foldName, mapEntries } from './map-entries.js';
import type { ReadContext } from './read-context.js';
import { describeNotes, inheritNotes } from './notes.js';
import type { JsonSchema, KeyMatch, Notes, ReferenceRow, Schema } from './schema.js';

const NO_FIELDS: ReadonlySet<string> = new Set();

/** Notes of a map, and the rule its keys follow. */
export interface MapNotes extends Notes {
  /** What the keys are, for the reference: `{service}`. `name` when left out. */
  readonly keyName?: string;
  /** Answers what is wrong with a key, or undefined. */
  readonly checkKey?: (key: string) => string | undefined;
}

/** A group whose key names are free. Nothing set gives an empty map. */
export class MapSchema<T> implements Schema<ReadonlyMap<string, T>> {
  readonly shape = 'map';

  constructor(
    readonly value: Schema<T>,
    readonly notes: MapNotes,
  ) {}

  read(node: ConfigNode | undefined, path: string, context: ReadContext): ReadonlyMap<string, T> {
    return context.within(this.notes, node, path, () => {
      if (node?.leaf !== undefined && !(node.leaf.kind === 'scalar' && node.leaf.text === '')) {
        context.problem(node.leaf.origin, path, 'expects keys with values below it, found a value');
      }
      return node === undefined ? new Map<string, T>() : this.readEntries(node, path, context);
    });
  }

  /** Reads every key below `node` as an entry. */
  readEntries(node: ConfigNode, path: string, context: ReadContext): ReadonlyMap<string, T> {
    const result = new Map<string, T>();
    for (const [key, child] of mapEntries(node.children, this.value, this.value.fieldNames ?? NO_FIELDS)) {
      const wrong = this.notes.checkKey?.(key);
      if (wrong !== undefined) {
        context.problem(child.origin, `${path}.${key}`, wrong);
      }
      const value = this.value.read(child, `${path}.${key}`, context);
      if (value !== undefined) {
        result.set(key, value);
      }
    }
    return result;
  }

  toJsonSchema(): JsonSchema {
    return { ...describeNotes(this.notes), type: ['object', 'null'], additionalProperties: this.value.toJsonSchema() };
  }

  referenceRows(key: string): ReferenceRow[] {
    const rows = inheritNotes(this.value.referenceRows(`${key}.{${this.notes.keyName ?? 'name'}}`), this.notes);
    const { doc } = this.notes;
    // A map of groups has a row for each key of the group; a map of values has but one to say what it is for.
    return (this.value.shape === 'leaf' || this.value.textOf !== undefined) && doc !== undefined
      ? rows.map((row, index) => (index === 0 ? { ...row, notes: { doc, ...row.notes } } : row))
      : rows;
  }

  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined {
    // Where a free name ends cannot be told from `A_B_C`: it is one piece, or all that is left for single values.
    for (let length = 1; length <= (this.value.shape === 'leaf' ? pieces.length : 1); length += 1) {
      const rest = this.value.resolveKey(pieces.slice(length), match);
      if (rest !== undefined && pieces.length >= length) {
        return [...pieces.slice(0, length).map((piece) => foldName(piece, match)), ...rest];
      }
    }
    return undefined;
  }
}

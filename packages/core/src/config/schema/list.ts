import type { ConfigNode, ListLeaf, ScalarLeaf } from '../tree/config-node.js';
import type { ReadContext } from './read-context.js';
import { describeNotes, inheritNotes } from './notes.js';
import { ScalarSchema, type Presence } from './scalar.js';
import type { JsonSchema, Notes, ReferenceRow, Schema } from './schema.js';

/** A list: a YAML sequence, and where it is allowed also one text `a, b`. An empty list counts as not set. */
export class ListSchema<T> implements Schema<readonly T[] | undefined> {
  readonly shape = 'leaf';

  /** @param commaSeparated accepts `a, b` too; only for lists of scalars */
  constructor(
    readonly item: Schema<T>,
    readonly commaSeparated: boolean,
    readonly notes: Notes,
    readonly presence: Presence & { readonly fallback?: readonly T[] },
  ) {
    if (commaSeparated && !(item instanceof ScalarSchema)) {
      throw new TypeError('commaSeparated needs a list of scalars');
    }
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): readonly T[] | undefined {
    return context.within(this.notes, node, path, () => this.#read(node, path, context));
  }

  #read(node: ConfigNode | undefined, path: string, context: ReadContext): readonly T[] | undefined {
    const leaf = node?.leaf;
    if (leaf === undefined) {
      if (node?.hasKeys === true) {
        context.problem(node.origin, path, `expects ${this.#typeName}, found keys below it`);
        return undefined;
      }
      return this.#absent(node, path, context);
    }
    const items = leaf.kind === 'list' ? this.#readItems(leaf, path, context) : this.#readText(leaf, path, context);
    return items?.length === 0 ? this.#absent(node, path, context) : items;
  }

  #readItems(leaf: ListLeaf, path: string, context: ReadContext): T[] {
    return leaf.items
      .map((item, index) => (item.isSet ? this.item.read(item, `${path}[${index}]`, context) : undefined))
      .filter((item): item is NonNullable<typeof item> => item !== undefined);
  }

  #readText(leaf: ScalarLeaf, path: string, context: ReadContext): T[] | undefined {
    if (leaf.text.trim() === '') {
      return [];
    }
    if (!this.commaSeparated || !(this.item instanceof ScalarSchema)) {
      context.problem(leaf.origin, path, `expects ${this.#typeName}: write one '- ' line per item`);
      return undefined;
    }
    const items: T[] = [];
    const parts = leaf.text.split(',').map((part) => part.trim());
    for (const [index, text] of parts.filter((part) => part !== '').entries()) {
      const value: unknown = this.item.parseText(text, leaf.origin, `${path}[${index}]`, context);
      if (value !== undefined) {
        items.push(value as T);
      }
    }
    return items;
  }

  #absent(node: ConfigNode | undefined, path: string, context: ReadContext): readonly T[] | undefined {
    if (this.presence.required === true) {
      context.problem(node?.origin ?? context.place, path, `is required but not set (${this.#typeName})`);
    }
    return this.presence.fallback;
  }

  get #typeName(): string {
    return this.commaSeparated ? 'a list, or values separated by commas' : 'a list';
  }

  toJsonSchema(): JsonSchema {
    const list = { type: ['array', 'null'], items: this.item.toJsonSchema() };
    return {
      ...describeNotes(this.notes),
      ...(this.commaSeparated ? { anyOf: [list, { type: 'string' }] } : list),
    };
  }

  referenceRows(key: string): ReferenceRow[] {
    const inner = this.item.referenceRows(`${key}[]`);
    const itemType = this.item.shape === 'leaf' ? (inner[0]?.type ?? 'value') : 'group';
    return [
      {
        key,
        type: this.commaSeparated ? `list of ${itemType}, or comma separated` : `list of ${itemType}`,
        defaultText: '',
        required: this.presence.required === true,
        notes: this.notes,
      },
      ...(this.item.shape === 'leaf' ? [] : inheritNotes(inner, this.notes)),
    ];
  }

  resolveKey(pieces: readonly string[]): readonly string[] | undefined {
    return this.commaSeparated && pieces.length === 0 ? [] : undefined;
  }
}

import { ConfigNode } from '../tree/config-node.js';
import type { ReadContext } from './read-context.js';
import type { JsonSchema, KeyMatch, Notes, ReferenceRow, Schema } from './schema.js';

/** A group of which one key is so common that its value may stand for the whole group; see `s.shorthand`. */
export class ShorthandSchema<T> implements Schema<T> {
  readonly shape = 'group';
  readonly notes: Notes;
  readonly fieldNames: ReadonlySet<string>;

  constructor(
    readonly group: Schema<T>,
    readonly key: string,
  ) {
    this.notes = group.notes;
    this.fieldNames = group.fieldNames ?? new Set();
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): T {
    if (node?.leaf === undefined || node.hasKeys) return this.group.read(node, path, context);
    const field = new ConfigNode(node.origin);
    field.leaf = node.leaf;
    const whole = new ConfigNode(node.origin);
    whole.children.set(this.key, field);
    return this.group.read(whole, path, context);
  }

  toJsonSchema(): JsonSchema {
    return { anyOf: [this.group.toJsonSchema(), { type: ['string', 'number', 'boolean', 'array'] }] };
  }

  referenceRows(key: string): ReferenceRow[] {
    return this.group.referenceRows(key);
  }

  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined {
    return pieces.length === 0 ? [] : this.group.resolveKey(pieces, match);
  }
}

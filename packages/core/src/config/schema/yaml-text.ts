import { ConfigNode, type ScalarLeaf } from '../tree/config-node.js';
import { ListSchema } from './list.js';
import type { ReadContext } from './read-context.js';
import type { JsonSchema, KeyMatch, Notes, ReferenceRow, Schema } from './schema.js';

/** A group or list that may also be written as one text holding it as YAML; see `s.yaml`. */
export class YamlTextSchema<T> implements Schema<T> {
  readonly shape = 'group';
  readonly notes: Notes;
  readonly fieldNames: ReadonlySet<string>;
  readonly textOf: 'map' | 'list';

  /** @throws TypeError when `inner` is neither a group nor a list: a mistake in the program */
  constructor(readonly inner: Schema<T>) {
    const group: Schema<unknown> = inner instanceof ListSchema ? inner.item : inner;
    if (group.shape === 'leaf') {
      throw new TypeError('a YAML text holds a group, or a list of groups');
    }
    this.notes = inner.notes;
    this.textOf = inner instanceof ListSchema ? 'list' : 'map';
    this.fieldNames = group.fieldNames ?? new Set();
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): T {
    const leaf = node?.leaf;
    if (node === undefined || leaf?.kind !== 'scalar') return this.inner.read(this.#asList(node), path, context);
    if (node.hasKeys) {
      context.problem(leaf.origin, path, 'is set both as a text and by keys below it; keep one of them');
      return undefined as T;
    }
    const { value, problems } = this.#parse(leaf, path, context);
    return problems ? (undefined as T) : this.inner.read(this.#asList(value), path, context);
  }

  #parse(leaf: ScalarLeaf, path: string, context: ReadContext): { value: ConfigNode | undefined; problems: boolean } {
    if (leaf.text.trim() === '') return { value: undefined, problems: false };
    const parsed = context.parseText(leaf);
    for (const { origin, path: inner, message } of parsed.problems) {
      context.problem(origin, inner === '' ? path : `${path}.${inner}`, message);
    }
    for (const { kind, origin, message } of parsed.notices) context.notice(kind, origin, path, message);
    return { value: parsed.node, problems: parsed.problems.length > 0 };
  }

  /** A single group where a list is expected. */
  #asList(node: ConfigNode | undefined): ConfigNode | undefined {
    if (this.textOf !== 'list' || node === undefined || node.leaf !== undefined || !node.hasKeys) return node;
    const list = new ConfigNode(node.origin);
    list.leaf = { kind: 'list', items: [node], origin: node.origin };
    return list;
  }

  toJsonSchema(): JsonSchema {
    return { anyOf: [this.inner.toJsonSchema(), { type: 'string', description: 'The same as YAML in a text.' }] };
  }

  referenceRows(key: string): ReferenceRow[] {
    const rows = this.inner.referenceRows(key);
    const [first, ...rest] = rows;
    if (this.textOf === 'list' && first !== undefined) {
      return [{ ...first, type: `${first.type}, or a YAML text` }, ...rest];
    }
    return [{ key, type: 'group, or a YAML text', defaultText: '', required: false, notes: this.notes }, ...rows];
  }

  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined {
    return pieces.length === 0 ? [] : this.inner.resolveKey(pieces, match);
  }
}

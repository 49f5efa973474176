import type { ConfigNode } from '../tree/config-node.js';
import type { ReadContext } from './read-context.js';
import type { JsonSchema, KeyMatch, Notes, ReferenceRow, Schema } from './schema.js';

/** A value that has a second form, as older files have it; see `s.otherForm`. */
export class OtherFormSchema<T> implements Schema<T> {
  readonly shape: Schema<T>['shape'];
  readonly notes: Notes;
  readonly fieldNames: ReadonlySet<string>;

  /**
   * @param translate gives the node as `inner` reads it; the same one when it is in that form already
   * @param other describes the other form
   */
  constructor(
    readonly inner: Schema<T>,
    private readonly translate: (node: ConfigNode) => ConfigNode,
    private readonly other: Schema<unknown>,
  ) {
    this.shape = inner.shape;
    this.notes = inner.notes;
    this.fieldNames = new Set([...(inner.fieldNames ?? []), ...(other.fieldNames ?? [])]);
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): T {
    return this.inner.read(node === undefined ? undefined : this.translate(node), path, context);
  }

  toJsonSchema(): JsonSchema {
    return { anyOf: [this.inner.toJsonSchema(), this.other.toJsonSchema()] };
  }

  referenceRows(key: string): ReferenceRow[] {
    return this.inner.referenceRows(key);
  }

  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined {
    return this.inner.resolveKey(pieces, match) ?? this.other.resolveKey(pieces, match);
  }
}

import { toPlain, type ConfigNode } from '../tree/config-node.js';
import { describeNotes } from './notes.js';
import type { ReadContext } from './read-context.js';
import type { JsonSchema, Notes, ReferenceRow, Schema } from './schema.js';

/** A value whose shape is not checked here: settings that a plugin reads itself, rules that are YAML inside a text. */
export class FreeValueSchema implements Schema<unknown> {
  readonly shape = 'leaf';

  constructor(readonly notes: Notes) {}

  read(node: ConfigNode | undefined, path: string, context: ReadContext): unknown {
    return context.within(this.notes, node, path, () => {
      if (node?.isSet !== true) {
        return undefined;
      }
      this.#record(node, path, context);
      return toPlain(node);
    });
  }

  #record(node: ConfigNode, path: string, context: ReadContext): void {
    const leaf = node.leaf;
    if (leaf?.kind === 'scalar') {
      context.record(path, leaf.text, leaf.origin, this.notes.secret === true);
    } else if (leaf?.kind === 'list') {
      leaf.items.forEach((item, index) => this.#record(item, `${path}[${index}]`, context));
    }
    for (const [key, child] of node.children) {
      this.#record(child, `${path}.${key}`, context);
    }
  }

  toJsonSchema(): JsonSchema {
    return describeNotes(this.notes);
  }

  referenceRows(key: string): ReferenceRow[] {
    return [{ key, type: 'any', defaultText: '', required: false, notes: this.notes }];
  }

  resolveKey(pieces: readonly string[]): readonly string[] | undefined {
    return pieces.length === 0 ? [] : undefined;
  }
}

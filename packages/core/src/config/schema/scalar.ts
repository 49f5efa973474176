import type { Origin } from '../problem.js';
import type { ConfigNode } from '../tree/config-node.js';
import type { ReadContext } from './read-context.js';
import type { JsonSchema, Notes, ReferenceRow, Schema } from './schema.js';
import { nearestName } from './nearest.js';
import { describeNotes } from './notes.js';
import { isSecretKey, quoteValue } from './secrets.js';
import { reportUnknownKey } from './unknown-key.js';

/** What a scalar parser answers when the text is not acceptable; `expectation` continues "expects …". */
export class Refusal {
  constructor(readonly expectation: string) {}
}

/** Whether and with what a value is filled in when nothing is set. */
export interface Presence {
  /** Nothing set is a mistake. */
  readonly required?: boolean;
  /** Text as a user would write it. */
  readonly defaultText?: string;
  /** An empty text is a value like any other. */
  readonly keepsEmpty?: boolean;
}

/** How one kind of value is written. */
export interface ScalarFormat<T> {
  /** For people: `duration`, `integer 1..65535`. */
  readonly typeName: string;
  parse(text: string): T | Refusal;
  readonly jsonSchema: JsonSchema;
}

/** A single value. An empty text counts as not set, as in go-chassis, unless it is asked to be kept. */
export class ScalarSchema<T> implements Schema<T | undefined> {
  readonly shape = 'leaf';
  readonly #fallback: T | undefined;

  /** @throws TypeError when the default is not a valid value: a mistake in the program */
  constructor(
    readonly format: ScalarFormat<T>,
    readonly notes: Notes,
    readonly presence: Presence,
  ) {
    if (presence.defaultText !== undefined) {
      const value = format.parse(presence.defaultText);
      if (value instanceof Refusal) {
        throw new TypeError(`default '${presence.defaultText}': expects ${value.expectation}`);
      }
      this.#fallback = value;
    }
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): T | undefined {
    return context.within(this.notes, node, path, () => this.#read(node, path, context));
  }

  #read(node: ConfigNode | undefined, path: string, context: ReadContext): T | undefined {
    const leaf = node?.leaf;
    if (leaf?.kind === 'list') {
      context.problem(leaf.origin, path, `expects ${this.format.typeName}, found a list`);
      return undefined;
    }
    if (node?.hasKeys === true) {
      if (leaf === undefined) {
        context.problem(node.origin, path, `expects ${this.format.typeName}, found keys below it`);
        return undefined;
      }
      for (const [key, child] of node.children) {
        reportUnknownKey(child, `${path}.${key}`, [], context);
      }
    }
    if (leaf === undefined || (leaf.text === '' && this.presence.keepsEmpty !== true)) {
      return this.#absent(node, path, context);
    }
    return this.parseText(leaf.text, leaf.origin, path, context);
  }

  /** Parses one text; also used for the items of comma separated lists. */
  parseText(text: string, origin: Origin, path: string, context: ReadContext): T | undefined {
    const value = this.format.parse(text);
    if (value instanceof Refusal) {
      const secret = this.notes.secret === true || isSecretKey(path);
      context.problem(origin, path, `expects ${value.expectation}, found ${quoteValue(text, secret)}`);
      return undefined;
    }
    context.record(path, text, origin, this.notes.secret === true);
    return value;
  }

  #absent(node: ConfigNode | undefined, path: string, context: ReadContext): T | undefined {
    if (this.presence.required === true) {
      context.problem(node?.origin ?? context.place, path, `is required but not set (${this.format.typeName})`);
      return undefined;
    }
    if (this.presence.defaultText !== undefined) {
      context.record(path, this.presence.defaultText, { layer: 'default' }, this.notes.secret === true);
    }
    return this.#fallback;
  }

  toJsonSchema(): JsonSchema {
    return {
      ...describeNotes(this.notes),
      ...this.#jsonDefault(),
      ...this.format.jsonSchema,
    };
  }

  /** `false` and `3` as such, everything with a unit as the text that a user writes. */
  #jsonDefault(): JsonSchema {
    const text = this.presence.defaultText;
    if (text === undefined) {
      return {};
    }
    const plain = typeof this.#fallback === 'boolean' || typeof this.#fallback === 'number';
    return { default: plain && String(this.#fallback) === text ? this.#fallback : text };
  }

  referenceRows(key: string): ReferenceRow[] {
    return [
      {
        key,
        type: this.format.typeName,
        defaultText: this.presence.defaultText ?? '',
        required: this.presence.required === true,
        notes: this.notes,
      },
    ];
  }

  resolveKey(pieces: readonly string[]): readonly string[] | undefined {
    return pieces.length === 0 ? [] : undefined;
  }
}

/** `one of 'a', 'b'`, with the nearest one named when the text resembles it. */
export function expectOneOf(values: readonly string[], text: string): Refusal {
  const nearest = nearestName(text, values);
  const list = values.map((value) => `'${value}'`).join(', ');
  return new Refusal(`one of ${list}${nearest === undefined ? '' : ` (did you mean '${nearest}'?)`}`);
}

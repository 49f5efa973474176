import type { ConfigNode } from '../tree/config-node.js';
import type { ReadContext } from './read-context.js';

/** What is said about a key besides its type; shown in the generated reference and in messages. */
export interface Notes {
  /** What the key does, in one or two sentences. */
  readonly doc?: string;
  /** Why the default or the limit is what it is. */
  readonly reason?: string;
  /** The value is never shown: not in the effective configuration, not in messages. */
  readonly secret?: boolean;
  /** Known and checked, but without effect in this version; the text says what will act on it. One notice per section. */
  readonly notYet?: string;
  /** Keys with the same section name share one "not yet" notice; the key itself when left out. */
  readonly section?: string;
  /** A key that has no meaning here and never will; the text says why, or what to use. */
  readonly obsolete?: string;
}

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One line of the generated reference page. */
export interface ReferenceRow {
  /** Dotted key; `{name}` stands for any name, `[]` for each item of a list. */
  readonly key: string;
  readonly type: string;
  /** As a user would write it; empty when there is none. */
  readonly defaultText: string;
  readonly required: boolean;
  readonly notes: Notes;
}

/**
 * Turns a positioned configuration value into a typed one, reports everything that is wrong with it at once, and describes
 * itself for the reference page and the JSON Schema. Made by the combinators in `s`.
 */
export interface Schema<T> {
  /** Phantom: carries the type for {@link Infer}. */
  readonly _type?: T;
  /** `group`: keys with fixed names; `map`: any names; `leaf`: one value (scalar, list or free text). */
  readonly shape: 'group' | 'map' | 'leaf';
  readonly notes: Notes;
  /** The keys that stand directly below a value of this schema, where it has any. */
  readonly fieldNames?: ReadonlySet<string>;
  /** Set when the value may also be a text that holds YAML: `map` for one with keys, `list` for a list. */
  readonly textOf?: 'map' | 'list';
  /**
   * Reads the value at `path`. `undefined` and empty values mean "not set" and give the default. What is returned after a
   * problem was reported must not be used.
   */
  read(node: ConfigNode | undefined, path: string, context: ReadContext): T;
  toJsonSchema(): JsonSchema;
  referenceRows(key: string): ReferenceRow[];
  /**
   * The exact spelling of a key that was given in pieces by an environment variable (`A_B_C`), or undefined when this schema
   * knows no such value.
   */
  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined;
}

/** `exact`: pieces are keys as written. `folded`: letter case does not count, and several pieces may make one key. */
export type KeyMatch = 'exact' | 'folded';

/** The TypeScript type a schema produces. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

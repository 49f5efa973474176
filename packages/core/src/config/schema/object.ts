import type { ConfigNode } from '../tree/config-node.js';
import { foldName, mapEntries } from './map-entries.js';
import type { ReadContext } from './read-context.js';
import { describeNotes, inheritNotes } from './notes.js';
import type { JsonSchema, KeyMatch, Notes, ReferenceRow, Schema } from './schema.js';
import { reportUnknownKey } from './unknown-key.js';

export type Fields = Readonly<Record<string, Schema<unknown>>>;

/** Keys besides the fixed ones: any name, a group of its own each (`cse.loadbalance.{service}`). */
export interface OtherKeys {
  /** Property of the result that holds them as a map. */
  readonly as: string;
  /** What the names are, for the reference. */
  readonly keyName: string;
  readonly each: Schema<unknown>;
  /** Names of which there is more to say than of the others: the same keys, with other notes. */
  readonly named?: ReadonlyMap<string, Schema<unknown>>;
}

export interface ObjectNotes extends Notes {
  /** Nothing set gives `undefined` instead of an object of defaults. */
  readonly optional?: boolean;
}

export type GroupValue = Readonly<Record<string, unknown>>;

/** Of single values. */
const NO_FIELDS: ReadonlySet<string> = new Set();

/** A group of keys with fixed names. Nothing set gives an object of the fields' defaults, unless it is optional. */
export class ObjectSchema<T extends object> implements Schema<T | undefined> {
  readonly shape = 'group';
  readonly fieldNames: ReadonlySet<string>;

  /** @param check answers what is wrong with the group as a whole, or undefined */
  constructor(
    readonly fields: Fields,
    readonly notes: ObjectNotes,
    readonly others: OtherKeys | undefined = undefined,
    readonly check: ((value: T) => string | undefined) | undefined = undefined,
  ) {
    this.fieldNames = new Set(Object.keys(fields));
  }

  /** The same group with more fields; a field of the same name is replaced. */
  extend(fields: Fields): ObjectSchema<T> {
    return new ObjectSchema<T>({ ...this.fields, ...fields }, this.notes, this.others, this.check);
  }

  read(node: ConfigNode | undefined, path: string, context: ReadContext): T | undefined {
    if (this.notes.optional === true && node?.isSet !== true) {
      return undefined;
    }
    return context.within(this.notes, node, path, () => context.inside(node, () => this.#read(node, path, context)));
  }

  #read(node: ConfigNode | undefined, path: string, context: ReadContext): T {
    const leaf = node?.leaf;
    if (leaf !== undefined && !(leaf.kind === 'scalar' && leaf.text === '')) {
      const names = [...this.fieldNames].slice(0, 4).join(', ');
      context.problem(leaf.origin, path, `expects keys below it${names === '' ? '' : ` (${names}, …)`}, found a value`);
    }
    const problemsBefore = context.problems.length;
    const value: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(this.fields)) {
      const child = node?.children.get(name);
      if (this.others !== undefined && field.shape === 'leaf' && child?.leaf === undefined && child?.hasKeys === true) {
        context.problem(child.origin, join(path, name), takenName(name, this.others.keyName));
        continue;
      }
      value[name] = field.read(child, join(path, name), context);
    }
    if (this.others !== undefined) {
      value[this.others.as] = new Map<string, unknown>();
    }
    if (node !== undefined) {
      this.#readOthers(node, path, value, context);
    }
    // A group with wrong parts is not judged as a whole: the second message would only repeat the first.
    if (node !== undefined && context.problems.length === problemsBefore) {
      const wrong = this.check?.(value as T);
      if (wrong !== undefined) {
        context.problem(node.origin, path, wrong);
      }
    }
    return value as T;
  }

  #readOthers(node: ConfigNode, path: string, value: Record<string, unknown>, context: ReadContext): void {
    const others = this.others;
    for (const [key, child] of node.children) {
      if (this.fieldNames.has(key)) {
        continue;
      }
      const isGroup = child.hasKeys && others?.each instanceof ObjectSchema;
      if (others !== undefined && (isGroup || others.each.shape === 'leaf')) {
        const map = value[others.as] as Map<string, unknown>;
        for (const [name, entry] of mapEntries([[key, child]], others.each, others.each.fieldNames ?? NO_FIELDS)) {
          map.set(name, (others.named?.get(name) ?? others.each).read(entry, join(path, name), context));
        }
        continue;
      }
      reportUnknownKey(child, join(path, key), [...this.fieldNames], context);
    }
  }

  toJsonSchema(): JsonSchema {
    const properties = Object.fromEntries(
      Object.entries(this.fields).map(([name, field]) => [name, field.toJsonSchema()]),
    );
    return {
      ...describeNotes(this.notes),
      type: ['object', 'null'],
      properties,
      // `a.b: x` is the same as `a: {b: x}` and cannot be described here.
      patternProperties: { '\\.': true },
      additionalProperties: this.others === undefined ? false : this.others.each.toJsonSchema(),
    };
  }

  referenceRows(key: string): ReferenceRow[] {
    const rows = Object.entries(this.fields).flatMap(([name, field]) => field.referenceRows(join(key, name)));
    const others = this.others;
    if (others !== undefined) {
      for (const [name, each] of others.named ?? []) rows.push(...each.referenceRows(join(key, name)));
      rows.push(...others.each.referenceRows(join(key, `{${others.keyName}}`)));
    }
    return inheritNotes(rows, this.notes);
  }

  resolveKey(pieces: readonly string[], match: KeyMatch): readonly string[] | undefined {
    for (let length = 1; length <= (match === 'folded' ? pieces.length : 1); length += 1) {
      const wanted = pieces.slice(0, length).join('');
      for (const [name, field] of Object.entries(this.fields)) {
        const same = match === 'folded' ? name.toLowerCase() === wanted.toLowerCase() : name === wanted;
        const rest = same ? field.resolveKey(pieces.slice(length), match) : undefined;
        if (rest !== undefined) {
          return [name, ...rest];
        }
      }
    }
    const rest = pieces.length > 1 ? this.others?.each.resolveKey(pieces.slice(1), match) : undefined;
    return rest === undefined ? undefined : [foldName(pieces[0] ?? '', match), ...rest];
  }
}

function takenName(name: string, keyName: string): string {
  return `'${name}' is a key of this group, so a ${keyName} of that name cannot have keys of its own here; found keys below it`;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

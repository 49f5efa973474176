import type { ConfigNode } from '../tree/config-node.js';
import type { HostPort } from './address.js';
import {
  addressFormat,
  booleanFormat,
  bytesFormat,
  durationFormat,
  integerFormat,
  numberFormat,
  oneOfFormat,
  stringFormat,
  type BytesRange,
  type DurationRange,
  type NumberRange,
} from './formats.js';
import { FreeValueSchema } from './free-value.js';
import { ListSchema } from './list.js';
import { MapSchema, type MapNotes } from './map.js';
import { ObjectSchema, type Fields, type ObjectNotes } from './object.js';
import { OtherFormSchema } from './other-form.js';
import { ScalarSchema, type ScalarFormat } from './scalar.js';
import type { Infer, Notes, Schema } from './schema.js';
import { ShorthandSchema } from './shorthand.js';
import { YamlTextSchema } from './yaml-text.js';

/** Notes and what happens when nothing is set: `required`, `default`, or neither (then the value is `undefined`). */
interface Options<D> extends Notes {
  readonly required?: boolean;
  readonly default?: D;
  /** An empty text is a value, too: where a text is compared with, "nothing" is one. */
  readonly keepsEmpty?: boolean;
}

/** The value may be missing unless it is required or has a default. */
type Maybe<T, O> = O extends { readonly required: true }
  ? T
  : O extends { readonly default: object | string | number | boolean }
    ? T
    : T | undefined;

type ObjectOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

interface ObjectOptions<F extends Fields> extends ObjectNotes {
  /** What is wrong with the group as a whole, or undefined; asked only when every field is right. */
  readonly check?: (value: ObjectOf<F>) => string | undefined;
}

function scalar<T, O extends Options<unknown>>(format: ScalarFormat<T>, options: O): Schema<Maybe<T, O>> {
  const { required, default: fallback, keepsEmpty, ...notes } = options;
  return new ScalarSchema(format, notes, {
    ...(required === undefined ? {} : { required }),
    ...(keepsEmpty === undefined ? {} : { keepsEmpty }),
    ...(fallback === undefined ? {} : { defaultText: String(fallback) }),
  }) as Schema<Maybe<T, O>>;
}

function object<F extends Fields>(
  fields: F,
  options: ObjectOptions<F> & { readonly optional: true },
): Schema<ObjectOf<F> | undefined>;
function object<F extends Fields>(fields: F, options?: ObjectOptions<F>): Schema<ObjectOf<F>>;
function object<F extends Fields>(fields: F, options: ObjectOptions<F> = {}): Schema<ObjectOf<F> | undefined> {
  const { check, ...notes } = options;
  return new ObjectSchema<ObjectOf<F>>(fields, notes, undefined, check);
}

interface StringOptions extends Options<string> {
  readonly pattern?: RegExp;
  /** The pattern in words, after "expects". */
  readonly expectation?: string;
}

interface ListOptions<T> extends Options<readonly T[]> {
  /** Accepts one text `a, b` too. */
  readonly commaSeparated?: boolean;
}

/**
 * Schemas for configuration values. A field without `default` gives `undefined` when it is not set, unless it is `required`.
 * Groups give an object with their fields' defaults, maps an empty map. Empty texts, empty lists and `null` count as not set.
 */
export const s = {
  /** A text, as it is written: `1.0` stays `1.0`. */
  string: <const O extends StringOptions>(options: O = {} as O): Schema<Maybe<string, O>> => {
    const { pattern, expectation, ...rest } = options;
    return scalar<string, O>(stringFormat(pattern, expectation), rest as O);
  },

  integer: <const O extends Options<number> & NumberRange>(options: O = {} as O): Schema<Maybe<number, O>> => {
    const { min, max, ...rest } = options;
    return scalar<number, O>(integerFormat({ min, max }), rest as O);
  },

  number: <const O extends Options<number> & NumberRange>(options: O = {} as O): Schema<Maybe<number, O>> => {
    const { min, max, ...rest } = options;
    return scalar<number, O>(numberFormat({ min, max }), rest as O);
  },

  /** `true`/`false`, and `yes`, `on`, `1` and their opposites, as go-yaml and Go's ParseBool take them. */
  boolean: <const O extends Options<boolean>>(options: O = {} as O): Schema<Maybe<boolean, O>> =>
    scalar<boolean, O>(booleanFormat(), options),

  /** A duration as Go writes it (`30s`, `1m30s`, `500ms`). Gives milliseconds. */
  duration: <const O extends Options<string> & DurationRange>(options: O = {} as O): Schema<Maybe<number, O>> => {
    const { min, max, bareUnit, ...rest } = options;
    return scalar<number, O>(durationFormat({ min, max, bareUnit }), rest as O);
  },

  /** A size (`64KB`; K = 1024). Gives bytes. */
  bytes: <const O extends Options<string> & BytesRange>(options: O = {} as O): Schema<Maybe<number, O>> => {
    const { min, max, ...rest } = options;
    return scalar<number, O>(bytesFormat({ min, max }), rest as O);
  },

  /** One of the given texts. */
  oneOf: <const V extends string, const O extends Options<V> & { readonly ignoreCase?: boolean }>(
    values: readonly V[],
    options: O = {} as O,
  ): Schema<Maybe<V, O>> => {
    const { ignoreCase, ...rest } = options;
    return scalar<V, O>(oneOfFormat(values, ignoreCase === true), rest as O);
  },

  /** `host:port`, IPv6 in brackets. Gives `{host, port}`, the host without brackets. */
  address: <const O extends Options<string>>(options: O = {} as O): Schema<Maybe<HostPort, O>> =>
    scalar<HostPort, O>(addressFormat(), options),

  /** A YAML list; with `commaSeparated` also one text `a, b`. */
  list: <T, const O extends ListOptions<NonNullable<T>>>(
    item: Schema<T>,
    options: O = {} as O,
  ): Schema<Maybe<readonly NonNullable<T>[], O>> => {
    const { required, default: fallback, commaSeparated, ...notes } = options;
    const list: Schema<unknown> = new ListSchema<unknown>(item, commaSeparated === true, notes, {
      ...(required === undefined ? {} : { required }),
      ...(fallback === undefined ? {} : { fallback }),
    });
    return list as Schema<Maybe<readonly NonNullable<T>[], O>>;
  },

  /** Keys with any names, dots included. */
  map: <T>(value: Schema<T>, options: MapNotes = {}): Schema<ReadonlyMap<string, NonNullable<T>>> =>
    new MapSchema(value, options) as Schema<ReadonlyMap<string, NonNullable<T>>>,

  /** A group of keys with fixed names. */
  object,

  /**
   * A group with fixed names, and groups of any other names beside them (`cse.loadbalance.strategy` and
   * `cse.loadbalance.{service}.strategy`). The others come as a map in the property `others.as`.
   */
  openObject: <F extends Fields, const A extends string, T>(
    fields: F,
    others: {
      readonly as: A;
      readonly keyName: string;
      readonly each: Schema<T>;
      readonly named?: ReadonlyMap<string, Schema<T>>;
    },
    options: ObjectNotes = {},
  ): Schema<ObjectOf<F> & { readonly [K in A]: ReadonlyMap<string, NonNullable<T>> }> =>
    new ObjectSchema(fields, options, others) as Schema<
      ObjectOf<F> & { readonly [K in A]: ReadonlyMap<string, NonNullable<T>> }
    >,

  /**
   * A group or a list of groups that may also be given as one text that holds it as YAML (or JSON), as go-chassis and java-chassis keep
   * rules and policies:
   *
   * ```ts
   * export const markedRetrySchema = s.map(s.yaml(s.object({ maxAttempts: s.integer({ min: 1, doc: '...' }) })), { keyName: 'policy' });
   * ```
   * reads both `servicecomb.retry: {mine: {maxAttempts: 3}}` and `servicecomb.retry: {mine: "maxAttempts: 3"}` into the same value.
   * What is wrong inside a text is reported like anything else, with the file and line where it stands. Where a list is expected, a single
   * group is a list of one. Names with dots (`orders.v1`) work in both forms.
   */
  yaml: <T>(inner: Schema<T>): Schema<T> => new YamlTextSchema<T>(inner),

  /** A group that may be given as a bare value, which then is that of its field `key`: `x-user: jason` for `x-user: {exact: jason}`. */
  shorthand: <T>(group: Schema<T>, key: string): Schema<T> => new ShorthandSchema<T>(group, key),

  /**
   * A value that older files have in another form, which `other` describes: `translate` gives the node as `inner` reads it, or the
   * same one when it is in that form already.
   */
  otherForm: <T>(inner: Schema<T>, translate: (node: ConfigNode) => ConfigNode, other: Schema<unknown>): Schema<T> =>
    new OtherFormSchema<T>(inner, translate, other),

  /** A value of any shape, given back as plain data with every scalar as text. */
  free: (options: Notes = {}): Schema<unknown> => new FreeValueSchema(options),
};

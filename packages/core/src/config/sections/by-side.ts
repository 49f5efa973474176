import { ListSchema } from '../schema/list.js';
import { ObjectSchema, type Fields, type ObjectNotes } from '../schema/object.js';
import { ScalarSchema } from '../schema/scalar.js';
import { s } from '../schema/combinators.js';
import type { Infer, Schema } from '../schema/schema.js';

type ObjectOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/** The same values, each of which may be missing; groups stay, lists and maps are one value each. */
export type Overrides<T> = {
  readonly [K in keyof T]: T[K] extends readonly unknown[] | ReadonlyMap<string, unknown>
    ? T[K] | undefined
    : T[K] extends object
      ? Overrides<T[K]>
      : T[K] | undefined;
};

/** The values of {@link Fields}, each of which may be missing. */
export type OverridesOf<F extends Fields> = Overrides<ObjectOf<F>>;

/** The values of one side: its own, and what the services that have a block of their own set differently. */
export type SideOf<F extends Fields> = ObjectOf<F> & { readonly services: ReadonlyMap<string, Overrides<ObjectOf<F>>> };

/**
 * Properties at the level of the side (`cse.isolation.Consumer.*`), and again per service below it (`cse.isolation.Consumer.{service}.*`).
 * Defaults stand at the side alone: what a service does not set is that of the side.
 */
export function bySide<F extends Fields>(
  fields: F,
): { readonly Consumer: Schema<SideOf<F>>; readonly Provider: Schema<SideOf<F>> } {
  return { Consumer: withServices(fields), Provider: withServices(fields) };
}

/** One side alone, or what has no sides: `cse.loadbalance.*`, and again `cse.loadbalance.{service}.*`. */
export function withServices<F extends Fields>(fields: F, notes: ObjectNotes = {}): Schema<SideOf<F>> {
  const each = s.object(withoutDefaults(fields)) as Schema<OverridesOf<F>>;
  return s.openObject(fields, { as: 'services', keyName: 'service', each }, notes);
}

/** The values that hold for a service: its own, and those of the side for what it does not set. */
export function sideValues<F extends Fields>(side: SideOf<F>, service: string): ObjectOf<F> {
  const { services, ...values } = side;
  return inherit(values, services.get(service)) as ObjectOf<F>;
}

function inherit(values: object, own: object | undefined): object {
  if (own === undefined) return values;
  const merged: Record<string, unknown> = { ...values };
  for (const [key, value] of Object.entries(own)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = isGroup(value) && isGroup(below) ? inherit(below, value) : value;
  }
  return merged;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

function withoutDefaults(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, withoutDefault(field)]));
}

function withoutDefault(schema: Schema<unknown>): Schema<unknown> {
  if (schema instanceof ScalarSchema) return new ScalarSchema(schema.format, schema.notes, {});
  if (schema instanceof ListSchema) {
    return new ListSchema<unknown>(schema.item as Schema<unknown>, schema.commaSeparated, schema.notes, {});
  }
  if (schema instanceof ObjectSchema) {
    // Its check sees only what the service sets; a comparison with what is missing is false.
    return new ObjectSchema(withoutDefaults(schema.fields), schema.notes, schema.others, schema.check);
  }
  return schema;
}

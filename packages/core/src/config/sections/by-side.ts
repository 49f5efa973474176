import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import type { Infer, Schema } from '../schema/schema.js';

type ObjectOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/** The values of one side: its own, and those of the services that have some of their own. */
export type SideOf<F extends Fields> = ObjectOf<F> & { readonly services: ReadonlyMap<string, ObjectOf<F>> };

/** Properties at the level of the side (`cse.isolation.Consumer.*`), and again per service below it (`cse.isolation.Consumer.{service}.*`). */
export function bySide<F extends Fields>(
  fields: F,
): { readonly Consumer: Schema<SideOf<F>>; readonly Provider: Schema<SideOf<F>> } {
  const side = (): Schema<SideOf<F>> =>
    s.openObject(fields, { as: 'services', keyName: 'service', each: s.object(fields) });
  return { Consumer: side(), Provider: side() };
}

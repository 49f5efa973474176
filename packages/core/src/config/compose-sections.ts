import { ObjectSchema, type Fields } from './schema/object.js';
import type { Schema } from './schema/schema.js';

/** Schemas by the dotted key they stand at, such as `servicecomb.registry`; the empty key holds keys of the top level. */
export type Sections = Readonly<Record<string, Schema<unknown>>>;

interface Branch {
  schema?: Schema<unknown>;
  readonly branches: Map<string, Branch>;
}

/**
 * Puts sections together into the schema of the whole configuration. A section may stand below another one
 * (`servicecomb.registry.file` below `servicecomb.registry`) as long as that is a group with fixed names.
 * @throws TypeError when a section stands below one that is no such group
 */
export function composeSections(sections: Sections): ObjectSchema<object> {
  const root: Branch = { branches: new Map() };
  for (const [prefix, schema] of Object.entries(sections)) {
    let branch = root;
    for (const key of prefix === '' ? [] : prefix.split('.')) {
      let next = branch.branches.get(key);
      if (next === undefined) {
        next = { branches: new Map() };
        branch.branches.set(key, next);
      }
      branch = next;
    }
    branch.schema = schema;
  }
  const composed = compose(root, '');
  if (!(composed instanceof ObjectSchema)) {
    throw new TypeError('the top level must be a group with fixed names');
  }
  return composed;
}

function compose(branch: Branch, prefix: string): Schema<unknown> {
  if (branch.branches.size === 0 && branch.schema !== undefined) {
    return branch.schema;
  }
  const fields: Fields = Object.fromEntries(
    [...branch.branches].map(([key, inner]) => [key, compose(inner, prefix === '' ? key : `${prefix}.${key}`)]),
  );
  if (branch.schema === undefined) {
    return new ObjectSchema(fields, {});
  }
  if (!(branch.schema instanceof ObjectSchema)) {
    throw new TypeError(`sections cannot stand below '${prefix}': it is no group with fixed names`);
  }
  return branch.schema.extend(fields);
}

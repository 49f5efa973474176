import { ReadContext } from './read-context.js';
import type { Schema } from './schema.js';

/** What a schema gives when nothing is set, for code that runs without a configuration. */
export function schemaDefaults<T>(schema: Schema<T>): T {
  return schema.read(undefined, '', new ReadContext());
}

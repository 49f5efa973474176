import { formatProblems } from '../config/problem.js';
import { ReadContext } from '../config/schema/read-context.js';
import { knownKeys } from '../config/schema/reference.js';
import type { Schema } from '../config/schema/schema.js';
import { ConfigNode, insertEntry } from '../config/tree/config-node.js';
import { parseYaml, parseYamlText } from '../config/yaml/parse-yaml.js';

export interface SchemaReading<T> {
  readonly value: T;
  /** As the terminal shows them, in a file `a.yaml`. */
  readonly problems: readonly string[];
  readonly notices: readonly string[];
  /** `key=value` */
  readonly effective: readonly string[];
}

/** What a schema makes of a YAML text. For tests. */
export function readSchema<T>(schema: Schema<T>, yaml: string): SchemaReading<T> {
  const tree = new ConfigNode({ layer: 'default' });
  const parsed = parseYaml(yaml, 'a.yaml');
  if (parsed.problems.length > 0) {
    throw new Error(formatProblems(parsed.problems));
  }
  for (const entry of parsed.entries) {
    insertEntry(tree, entry);
  }
  const context = new ReadContext(() => knownKeys(schema), parseYamlText);
  const value = schema.read(tree, '', context);
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  return {
    value,
    problems: lines(formatProblems(context.problems)),
    notices: lines(formatProblems(context.notices)),
    effective: context.effective.map(({ key, value: text }) => `${key}=${text}`),
  };
}

import type { LegacyKey } from './legacy-keys.js';
import type { JsonSchema } from './schema/schema.js';

/** The parts of a JSON Schema that lead to other keys. */
interface Group extends Record<string, unknown> {
  properties?: Record<string, Group>;
  additionalProperties?: unknown;
  type?: unknown;
}

interface Place {
  readonly node: Group;
  /** Its JSON Pointer (RFC 6901), as a `$ref`. */
  readonly pointer: string;
}

/**
 * Adds the old spellings to the JSON Schema, each as a deprecated reference to the present key, so that an editor strikes out what a start
 * takes with a notice, and marks as wrong only what nobody knows.
 * @returns a copy
 */
export function withLegacyKeys(schema: JsonSchema, rules: readonly LegacyKey[]): JsonSchema {
  const root = structuredClone(schema) as Group;
  // Short ones first: what stands below a group with another name is found behind its reference.
  const sorted = [...rules].sort((a, b) => a.old.split('.').length - b.old.split('.').length);
  for (const { old, now, valueOnly } of sorted) {
    const target = find(root, now.split('.'));
    if (target === undefined) continue;
    const path = old.split('.');
    const name = path.pop() ?? '';
    const parent = groupAt(root, path);
    if (parent === undefined) continue;
    const taken = parent.properties?.[name];
    if (valueOnly === true && taken !== undefined) taken.type = ['object', 'string', 'null'];
    else {
      (parent.properties ??= {})[name] ??= {
        description: `Old name of ${now.replaceAll('*', '{name}')}.`,
        deprecated: true,
        $ref: target.pointer,
      };
    }
  }
  return root;
}

/** What stands at a key; `*` is any name of a map. */
function find(root: Group, path: readonly string[]): Place | undefined {
  let place: Place | undefined = { node: root, pointer: '#' };
  for (const part of path) {
    if (place === undefined) return undefined;
    place = child(place, part);
  }
  return place;
}

function child({ node, pointer }: Place, part: string): Place | undefined {
  const named = part === '*' ? undefined : node.properties?.[part];
  if (named !== undefined) return { node: named, pointer: `${pointer}/properties/${escapePointer(part)}` };
  const any = node.additionalProperties;
  if (typeof any !== 'object' || any === null) return undefined;
  return { node: any as Group, pointer: `${pointer}/additionalProperties` };
}

/** The group at a key, made where only old names stand below it; undefined below a reference. */
function groupAt(root: Group, path: readonly string[]): Group | undefined {
  let node = root;
  for (const part of path) {
    if ('$ref' in node) return undefined;
    const next = child({ node, pointer: '' }, part)?.node;
    node = next ?? ((node.properties ??= {})[part] = oldGroup());
  }
  return '$ref' in node ? undefined : node;
}

function oldGroup(): Group {
  return {
    deprecated: true,
    type: ['object', 'null'],
    properties: {},
    patternProperties: { '\\.': true },
    additionalProperties: false,
  };
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

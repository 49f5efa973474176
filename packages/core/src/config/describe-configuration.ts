import { composeSections, type Sections } from './compose-sections.js';
import { renderReferenceTable } from './schema/reference.js';
import type { JsonSchema } from './schema/schema.js';
import { CORE_SECTIONS } from './sections/index.js';

/**
 * The JSON Schema (draft 2020-12) of all configuration files together, for editors.
 * @param sections those of packages besides core's
 */
export function configurationJsonSchema(sections: Sections = {}): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Mesher configuration',
    ...composeSections({ ...CORE_SECTIONS, ...sections }).toJsonSchema(),
  };
}

/**
 * All keys as a Markdown table, for the generated reference page.
 * @param sections those of packages besides core's
 * @param prefix only keys that start with it
 */
export function configurationReference(sections: Sections = {}, prefix = ''): string {
  return renderReferenceTable(composeSections({ ...CORE_SECTIONS, ...sections }), prefix);
}

import { composeSections, type Sections } from './compose-sections.js';
import { CONFIG_FILES } from './layers/files.js';
import { LEGACY_KEYS } from './legacy-keys.js';
import { withLegacyKeys } from './legacy-schema.js';
import { renderReferenceTables } from './schema/reference.js';
import type { JsonSchema } from './schema/schema.js';
import { CORE_SECTIONS } from './sections/index.js';

/**
 * The JSON Schema (draft 2020-12) of all configuration files together, for editors; old spellings are in it as deprecated.
 * @param sections those of packages besides core's
 */
export function configurationJsonSchema(sections: Sections = {}): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Mesher configuration',
    ...withLegacyKeys(composeSections({ ...CORE_SECTIONS, ...sections }).toJsonSchema(), LEGACY_KEYS),
  };
}

/**
 * The reference page of all configuration keys in Markdown.
 * @param sections those of packages besides core's
 */
export function renderConfigurationReference(sections: Sections = {}): string {
  return [
    '# Configuration',
    '',
    `Files in the configuration folder, all read into one space of keys: ${CONFIG_FILES.map((file) => `\`${file}\``).join(', ')}.`,
    'Dotted keys and nested maps are the same. Of two files that set the same key the later one in this list wins; environment variables win over files,',
    'the command line wins over both. `{name}` stands for any name, `[]` for each item of a list.',
    '',
    renderReferenceTables(composeSections({ ...CORE_SECTIONS, ...sections })),
    '',
  ].join('\n');
}

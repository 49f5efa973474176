import type { Notes, ReferenceRow, Schema } from './schema.js';

/** Every key that a schema knows, sorted; free names are shown as `{name}`. */
export function knownKeys(schema: Schema<unknown>): string[] {
  return schema
    .referenceRows('')
    .map(({ key }) => key)
    .sort();
}

/**
 * The keys of a schema as a Markdown table, for the generated reference page.
 * @param prefix only keys that start with it
 */
export function renderReferenceTable(schema: Schema<unknown>, prefix = ''): string {
  const rows = schema
    .referenceRows('')
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return ['| key | type | default | what it does |', '|---|---|---|---|', ...rows.map(renderRow)].join('\n');
}

function renderRow({ key, type, defaultText, required, notes }: ReferenceRow): string {
  const fallback = required ? 'required' : defaultText === '' ? '' : `\`${defaultText}\``;
  return `| ${[`\`${key}\``, type, fallback, renderNotes(notes)].map(escapeCell).join(' | ')} |`;
}

function renderNotes(notes: Notes): string {
  return [
    notes.doc,
    notes.reason === undefined ? undefined : `Why: ${notes.reason}.`,
    notes.secret === true ? 'Secret.' : undefined,
    notes.notYet === undefined ? undefined : `Not in effect yet: ${notes.notYet}.`,
    notes.obsolete === undefined ? undefined : `No effect: ${notes.obsolete}.`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

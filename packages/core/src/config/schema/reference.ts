import type { Notes, ReferenceRow, Schema } from './schema.js';

/** Every key that a schema knows, sorted; free names are shown as `{name}`. */
export function knownKeys(schema: Schema<unknown>): string[] {
  return schema
    .referenceRows('')
    .map(({ key }) => key)
    .sort();
}

/** The keys of a schema as Markdown tables: those in effect, those known but not in effect yet, those without effect. */
export function renderReferenceTables(schema: Schema<unknown>): string {
  const rows = schema.referenceRows('').sort((a, b) => (a.key < b.key ? -1 : 1));
  const chapters: readonly (readonly [string, (notes: Notes) => boolean])[] = [
    ['Keys', ({ notYet, obsolete }) => notYet === undefined && obsolete === undefined],
    ['Known, not in effect in this version', ({ notYet, obsolete }) => notYet !== undefined && obsolete === undefined],
    ['Without effect', ({ obsolete }) => obsolete !== undefined],
  ];
  return chapters
    .map(([title, belongs]) => [
      `## ${title}`,
      '',
      '| key | type | default | what it does |',
      '|---|---|---|---|',
      ...rows.filter(({ notes }) => belongs(notes)).map(renderRow),
    ])
    .map((lines) => lines.join('\n'))
    .join('\n\n');
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
    notes.obsolete === undefined ? undefined : `No effect: ${notes.obsolete}.`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

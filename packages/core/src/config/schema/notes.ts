import type { JsonSchema, Notes, ReferenceRow } from './schema.js';

/** The words of a key for a JSON Schema. */
export function describeNotes(notes: Notes): JsonSchema {
  const text = [
    notes.doc,
    notes.reason === undefined ? undefined : `Why: ${notes.reason}`,
    notes.notYet === undefined ? undefined : `Not in effect in this version: ${notes.notYet}`,
    notes.obsolete === undefined ? undefined : `No effect: ${notes.obsolete}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
  return {
    ...(text === '' ? {} : { description: text }),
    ...(notes.obsolete === undefined ? {} : { deprecated: true }),
    ...(notes.secret === true ? { writeOnly: true } : {}),
  };
}

/** Rows of the keys below a group: without effect when the group is. */
export function inheritNotes(rows: readonly ReferenceRow[], { notYet, obsolete }: Notes): ReferenceRow[] {
  const inherited: Notes = {
    ...(notYet === undefined ? {} : { notYet }),
    ...(obsolete === undefined ? {} : { obsolete }),
  };
  return rows.map((row) => ({ ...row, notes: { ...inherited, ...row.notes } }));
}

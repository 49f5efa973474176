import type { Field } from '@mesher/core';

const NO_FIELDS: readonly Field[] = [];

/**
 * The fields whose names begin so. Most heads have none, so that the bytes are looked through before any string is made.
 * @param head lines of fields, each ended by CRLF
 * @param prefix in lower case; the search begins at its second letter, which is how writers of names in capitals have it, too (`Uberctx-`)
 */
export function fieldsBeginning(head: Buffer, prefix: string): readonly Field[] {
  if (head.indexOf(prefix.slice(1), 0, 'latin1') < 0) return NO_FIELDS;
  const found: Field[] = [];
  for (const line of head.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon <= prefix.length || line.slice(0, prefix.length).toLowerCase() !== prefix) continue;
    found.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return found;
}

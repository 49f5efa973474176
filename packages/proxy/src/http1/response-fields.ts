import type { Field } from '@mesher/core';

/** Fields that policies add to an answer, as lines, each ended by CRLF. They were checked when they were added. */
export function renderFields(fields: readonly Field[] | undefined): string {
  if (fields === undefined) return '';
  let text = '';
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return text;
}

/**
 * A head with further lines.
 * @param head ends with the empty line
 */
export function withFields(head: string, fields: readonly Field[] | undefined): string {
  return fields === undefined ? head : `${head.slice(0, -2)}${renderFields(fields)}\r\n`;
}

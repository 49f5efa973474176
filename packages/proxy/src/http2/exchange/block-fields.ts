import type { HeaderBlock } from '../hpack/header-block.js';

const COOKIE = 'cookie';

/**
 * Value of a field by lower-case name; several of that name are joined by `, ` (RFC 9110, 5.3), the crumbs of a cookie by `; `
 * (RFC 9113, 8.2.3).
 */
export function fieldOf({ fields }: HeaderBlock, name: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (field.name !== name) continue;
    found = found === undefined ? field.value : `${found}${name === COOKIE ? '; ' : ', '}${field.value}`;
  }
  return found;
}

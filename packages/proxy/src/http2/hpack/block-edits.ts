import type { HeaderBlock } from './header-block.js';
import type { HeaderField } from './header-field.js';

/**
 * Changes to blocks while they are written: fields are left out or replaced in their place. Made ahead, once per route or
 * peer, and never changed, so that a block with its edits can be found again in encoded form. What differs from call to call is
 * added behind the block instead.
 */
export class BlockEdits {
  /** Most bytes that replacements add to a block. */
  readonly bound: number;

  /** @param replaced by lower-case name: what stands in place of each field of that name; undefined leaves it out */
  constructor(readonly replaced: ReadonlyMap<string, HeaderField | undefined>) {
    let bound = 0;
    for (const field of replaced.values()) bound += field?.size ?? 0;
    this.bound = bound;
  }

  /** The fields of `block` as they are after these edits. A replacement stands once, in the place of the first field that it replaces. */
  apply(block: HeaderBlock): HeaderField[] {
    const fields: HeaderField[] = [];
    for (const field of block.fields) {
      const replacement = this.replaced.has(field.name) ? this.replaced.get(field.name) : field;
      if (replacement === undefined) continue;
      if (replacement !== field && fields.includes(replacement)) continue;
      fields.push(replacement);
    }
    return fields;
  }
}

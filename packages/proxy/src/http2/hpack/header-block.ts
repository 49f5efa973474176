import type { FieldSummary } from '../field-summary.js';
import type { HeaderField } from './header-field.js';

/** Room that an encoded block needs beside its fields: two table size updates of at most 6 bytes each. */
const SIZE_UPDATES = 12;

/** Why fields of a block were left out. */
export type Excess = 'none' | 'list size' | 'field count' | 'string length';

/**
 * A decoded header block: fields in their order with all duplicates. Never changed, so that blocks that come again are the same
 * object, and whatever was worked out from one (validity, route) is worked out once.
 */
export class HeaderBlock {
  /** What the rules of RFC 9113, 8 need to know; see `summarize`. Worked out at first use. */
  summary: FieldSummary | undefined = undefined;
  /** Whatever the layer above worked out from this block and wants to find again with it. */
  note: object | undefined = undefined;

  /**
   * @param listSize size of all fields by RFC 9113, 10.5.1, those that were left out included
   * @param excess not `none`: a limit was exceeded and `fields` is not all of the block. The message must not be passed on.
   * @param hash spreads blocks over the slots of caches; equal hashes mean nothing
   */
  constructor(
    readonly fields: readonly HeaderField[],
    readonly listSize: number,
    readonly excess: Excess = 'none',
    readonly hash: number = 0,
  ) {}

  /** A block of our own making. */
  static of(fields: readonly HeaderField[]): HeaderBlock {
    let listSize = 0;
    let hash = fields.length;
    for (const field of fields) {
      listSize += field.size;
      hash = (Math.imul(hash, 31) + field.size + field.value.charCodeAt(0)) | 0;
    }
    return new HeaderBlock(fields, listSize, 'none', hash);
  }

  /** Most bytes that this block takes when encoded: a literal costs at most 13 bytes beside name and value, less than counted. */
  get encodedBound(): number {
    return this.listSize + SIZE_UPDATES;
  }

  /** Value of the first field with this lower-case name. */
  first(name: string): string | undefined {
    for (const field of this.fields) if (field.name === name) return field.value;
    return undefined;
  }
}

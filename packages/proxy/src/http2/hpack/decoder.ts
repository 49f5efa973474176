import { latin1 } from '../../http1/characters.js';
import { ConnectionError, ErrorCode } from '../error-codes.js';
import { BlockCache } from './block-cache.js';
import { DynamicTable } from './dynamic-table.js';
import { FIELD_BYTES, HeaderField, NAME_BYTE, VALUE_BYTE, isPseudo, isValidName } from './header-field.js';
import { HeaderBlock, type Excess } from './header-block.js';
import type { HuffmanDecoder } from './huffman.js';
import { STATIC_FIELDS, STATIC_LENGTH } from './static-table.js';

/** Size of the dynamic table until SETTINGS say something else (RFC 9113, 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;

/**
 * How far a list may exceed its limit before the connection ends. Below that the message is refused and the connection goes on;
 * beyond it is a bomb: one byte per reference to a large field.
 */
const BOMB_FACTOR = 16;

/** Continuation bytes of an integer: 4 carry 28 bits, more than any length or index that is accepted. */
const MAX_INTEGER_SHIFT = 21;

/** Bounds of what a block decodes to. */
export interface DecoderLimits {
  /** Largest dynamic table in bytes; what our SETTINGS_HEADER_TABLE_SIZE says. */
  readonly maxTableBytes: number;
  /** Largest list, as RFC 9113, 10.5.1 counts it. */
  readonly maxListBytes: number;
  readonly maxFields: number;
  /** Longest name or value in bytes. */
  readonly maxStringBytes: number;
}

const NO_BYTES = Buffer.alloc(0);
const NO_FIELDS: readonly HeaderField[] = [];

function compressionError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.compressionError, message);
}

/**
 * Decodes the header blocks of one connection in their order (RFC 7541), each in place. Every block that arrives must pass
 * here, also those of streams that are refused or gone, or the table no longer matches the peer's.
 */
export class HpackDecoder {
  readonly #limits: DecoderLimits;
  readonly #huffman: HuffmanDecoder;
  readonly #table: DynamicTable;
  readonly #cache = new BlockCache();
  #maxTableBytes: number;
  #mustResize = false;

  // The block that is being decoded.
  #buffer: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  #bytesAre = 0;
  #usesTable = false;
  #resizes = false;
  /** Fields that the block put into the table; made with the first one, because caches keep it. */
  #insertions: HeaderField[] | undefined = undefined;
  #isTooLong = false;

  constructor(limits: DecoderLimits, huffman: HuffmanDecoder) {
    this.#limits = limits;
    this.#huffman = huffman;
    // The peer may use what our SETTINGS say as soon as it has read them, and the default until then.
    this.#maxTableBytes = Math.max(limits.maxTableBytes, DEFAULT_TABLE_BYTES);
    this.#table = new DynamicTable(DEFAULT_TABLE_BYTES);
  }

  /** Bytes that the dynamic table holds. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** The peer has acknowledged our SETTINGS: from now on the limit of the table holds (RFC 7541, 4.2). */
  settingsAcknowledged(): void {
    this.#maxTableBytes = this.#limits.maxTableBytes;
    if (this.#table.capacity > this.#maxTableBytes) this.#mustResize = true;
  }

  /**
   * Decodes the complete header block in `[start, end)`.
   * @throws ConnectionError COMPRESSION_ERROR when it is not valid, ENHANCE_YOUR_CALM for a bomb. A list that only exceeds a
   * limit is no error: see {@link HeaderBlock.excess}.
   */
  decode(buffer: Buffer, start: number, end: number): HeaderBlock {
    const epoch = this.#table.epoch;
    const known = this.#mustResize ? undefined : this.#cache.find(buffer, start, end, epoch);
    if (known !== undefined) {
      const { insertions } = this.#cache;
      for (let i = 0; i < insertions.length; i++) this.#table.insert(insertions[i]);
      return known;
    }
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
    this.#usesTable = false;
    this.#resizes = false;
    this.#insertions = undefined;
    const block = this.#decodeFields();
    const isCacheable = !this.#resizes && (!this.#usesTable || this.#table.epoch === epoch);
    if (isCacheable && block.excess === 'none') {
      this.#cache.offer(buffer, start, end, epoch, !this.#usesTable, block, this.#insertions ?? NO_FIELDS);
    }
    return block;
  }

  #decodeFields(): HeaderBlock {
    const { maxListBytes, maxFields } = this.#limits;
    const buffer = this.#buffer;
    const fields: HeaderField[] = [];
    let listSize = 0;
    let excess: Excess = 'none';
    this.#resizeTable();
    while (this.#at < this.#end) {
      const byte = buffer[this.#at];
      this.#isTooLong = false;
      const field = byte >= 0x80 ? this.#field(this.#readInteger(0x7f)) : this.#readLiteral(byte);
      listSize += field.size;
      if (listSize > maxListBytes) {
        if (listSize > maxListBytes * BOMB_FACTOR) {
          throw new ConnectionError(ErrorCode.enhanceYourCalm, 'header block decodes to a bomb', 'header-bomb');
        }
        excess = 'list size';
      } else if (this.#isTooLong) excess = 'string length';
      else if (fields.length === maxFields) excess = 'field count';
      else fields.push(field);
    }
    return new HeaderBlock(fields, listSize, excess, this.#cache.hash);
  }

  /** Table size updates, which stand only at the beginning of a block (RFC 7541, 4.2). */
  #resizeTable(): void {
    while (this.#at < this.#end && (this.#buffer[this.#at] & 0xe0) === 0x20) {
      const capacity = this.#readInteger(0x1f);
      if (capacity > this.#maxTableBytes) throw compressionError('table size update above the limit');
      this.#table.resize(capacity);
      this.#resizes = true;
    }
    if (!this.#mustResize) return;
    if (this.#table.capacity > this.#maxTableBytes) throw compressionError('table size update is missing');
    this.#mustResize = false;
  }

  #field(index: number): HeaderField {
    if (index <= STATIC_LENGTH) {
      if (index === 0) throw compressionError('index 0');
      return STATIC_FIELDS[index];
    }
    this.#usesTable = true;
    const field = this.#table.at(index - STATIC_LENGTH - 1);
    if (field === undefined) throw compressionError('index beyond the tables');
    return field;
  }

  #readLiteral(byte: number): HeaderField {
    const isIndexed = byte >= 0x40;
    if (!isIndexed && byte >= 0x20) throw compressionError('table size update within a block');
    const index = this.#readInteger(isIndexed ? 0x3f : 0x0f);
    let name: string;
    let isNameValid: boolean;
    if (index === 0) {
      name = this.#readString();
      isNameValid = isPseudo(name) ? isValidName(name) : name !== '' && (this.#bytesAre & NAME_BYTE) !== 0;
    } else {
      const named = this.#field(index);
      name = named.name;
      isNameValid = !named.isMalformed || isValidName(name);
    }
    const value = this.#readString();
    const isValueValid = (this.#bytesAre & VALUE_BYTE) !== 0;
    const field = new HeaderField(name, value, !isIndexed && byte >= 0x10, isNameValid, isValueValid);
    if (isIndexed) {
      this.#table.insert(field);
      (this.#insertions ??= []).push(field);
    }
    return field;
  }

  /** An integer whose first byte holds the bits of `mask` (RFC 7541, 5.1). */
  #readInteger(mask: number): number {
    const buffer = this.#buffer;
    let value = buffer[this.#at++] & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end) throw compressionError('integer without an end');
      if (shift > MAX_INTEGER_SHIFT) throw compressionError('integer too large');
      const byte = buffer[this.#at++];
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** A string literal (RFC 7541, 5.2); `#bytesAre` says afterwards what its bytes are. */
  #readString(): string {
    const buffer = this.#buffer;
    if (this.#at >= this.#end) throw compressionError('field without an end');
    const isHuffman = buffer[this.#at] >= 0x80;
    const length = this.#readInteger(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw compressionError('string longer than its block');
    this.#at = end;
    let text: string | undefined = '';
    let bytesAre = 255;
    if (isHuffman) {
      text = this.#huffman.decode(buffer, start, end);
      if (text === undefined) throw compressionError('string with an invalid Huffman code');
      bytesAre = this.#huffman.bytesAre;
    } else if (length > 0) {
      for (let i = start; i < end; i++) bytesAre &= FIELD_BYTES[buffer[i]];
      text = latin1(buffer, start, end);
    }
    this.#bytesAre = bytesAre;
    if (text.length > this.#limits.maxStringBytes) this.#isTooLong = true;
    return text;
  }
}

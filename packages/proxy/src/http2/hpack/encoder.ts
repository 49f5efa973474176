import type { BlockEdits } from './block-edits.js';
import { DEFAULT_TABLE_BYTES } from './decoder.js';
import { EncoderTable } from './encoder-table.js';
import type { HeaderBlock } from './header-block.js';
import type { HeaderField } from './header-field.js';
import { huffmanLength, writeHuffman } from './huffman.js';
import { Indexing, indexingOf, kindOf } from './indexing.js';

/** Direct-mapped places for encoded blocks. A power of two. */
const SLOTS = 16;
/** Longest encoded block that is kept. */
const MAX_KEPT_BYTES = 512;
/** Up to here a loop over the chars is faster than the call into the runtime that copies them. */
const LOOP_CHARS = 40;
/** Up to here a loop over the bytes is faster than `set`. */
const LOOP_BYTES = 64;
/** A smaller table has no place for names alone. */
const MIN_BYTES_FOR_NAMES = 512;

/** First bits of the representations (RFC 7541, 6), and the mask of the integer that follows. */
const INDEXED = 0x80;
const INDEXED_MASK = 0x7f;
const WITH_INDEXING = 0x40;
const WITH_INDEXING_MASK = 0x3f;
const NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0x00;
const LITERAL_MASK = 0x0f;
const TABLE_SIZE = 0x20;
const TABLE_SIZE_MASK = 0x1f;
const HUFFMAN = 0x80;
const LENGTH_MASK = 0x7f;

interface Latin1Writable {
  latin1Write(text: string, offset: number, length: number): number;
}

/** Shared, because a typed array costs more to make than the rest of a slot. */
const NO_BYTES = new Uint8Array(0);

class Slot {
  candidate: HeaderBlock | undefined = undefined;
  block: HeaderBlock | undefined = undefined;
  edits: BlockEdits | undefined = undefined;
  epoch = -1;
  bytes = NO_BYTES;
}

function newSlots(): Slot[] {
  const slots: Slot[] = [];
  for (let i = 0; i < SLOTS; i++) slots.push(new Slot());
  return slots;
}

function writeInteger(out: Uint8Array, at: number, value: number, mask: number, bits: number): number {
  if (value < mask) {
    out[at++] = bits | value;
    return at;
  }
  out[at++] = bits | mask;
  value -= mask;
  while (value >= 0x80) {
    out[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}

/**
 * Encodes the header blocks of one connection in their order (RFC 7541). A value enters the table when it comes a second time in
 * a row, and changing values never do, so the table soon stands still and blocks that come again are copied as they were.
 */
export class HpackEncoder {
  readonly #table: EncoderTable;
  readonly #maxTableBytes: number;
  readonly #huffmanFrom: number;
  #slots: Slot[] | undefined = undefined;
  /** Table sizes to tell the peer before the next block: the smallest since the last one, and the present one; -1 for none. */
  #smallest = -1;
  #announced = -1;

  /**
   * @param maxTableBytes largest table that we use, whatever the peer allows
   * @param huffmanFrom strings of so many bytes or more are Huffman coded when that makes them shorter. It costs about 5 ns per
   * byte, so by default only what enters the table is, which is written once.
   */
  constructor(maxTableBytes: number = DEFAULT_TABLE_BYTES, huffmanFrom: number = Infinity) {
    this.#maxTableBytes = maxTableBytes;
    this.#huffmanFrom = huffmanFrom;
    this.#table = new EncoderTable(DEFAULT_TABLE_BYTES);
    if (maxTableBytes < DEFAULT_TABLE_BYTES) this.limitTable(maxTableBytes);
  }

  /** Bytes that the dynamic table holds. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; the next block tells that the table has changed (RFC 7541, 4.2). */
  limitTable(bytes: number): void {
    const capacity = Math.min(bytes, this.#maxTableBytes);
    if (capacity === this.#table.capacity) return;
    this.#table.resize(capacity);
    this.#smallest = this.#smallest < 0 ? capacity : Math.min(this.#smallest, capacity);
    this.#announced = capacity;
  }

  /**
   * Begins a block: writes `block` with `edits` into `out` at `start` and returns the position after it. The caller has made
   * room for `block.encodedBound + edits.bound` bytes; further fields may follow with {@link encodeField}.
   */
  encode(out: Buffer, start: number, block: HeaderBlock, edits?: BlockEdits): number {
    const at = this.#announced < 0 ? start : this.#writeTableSize(out, start);
    this.#slots ??= newSlots();
    const slot = this.#slots[block.hash & (SLOTS - 1)];
    const { epoch } = this.#table;
    if (slot.block === block && slot.edits === edits && slot.epoch === epoch) {
      const { bytes } = slot;
      if (bytes.length > LOOP_BYTES) out.set(bytes, at);
      else for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i];
      return at + bytes.length;
    }
    const end = this.#encodeFields(out, at, edits === undefined ? block.fields : edits.apply(block));
    if (epoch === this.#table.epoch && end - at <= MAX_KEPT_BYTES) {
      if (slot.candidate === block) {
        slot.block = block;
        slot.edits = edits;
        slot.epoch = epoch;
        slot.bytes = Uint8Array.prototype.slice.call(out, at, end);
      } else slot.candidate = block;
    }
    return end;
  }

  /** Writes one more field of the block; the caller has made room for `field.size` bytes. Returns the position after it. */
  encodeField(out: Buffer, at: number, field: HeaderField): number {
    const name = this.#table.name(field.name);
    const indexing = indexingOf(name?.kind ?? kindOf(field.name), field);
    if (name === undefined) return this.#writeUnindexed(out, at, 0, field, indexing);
    if (indexing !== Indexing.never) {
      const index = this.#table.indexOf(name, field.value);
      if (index > 0) return writeInteger(out, at, index, INDEXED_MASK, INDEXED);
    }
    const nameIndex = this.#table.indexOfName(name);
    const isRepeated = indexing === Indexing.whenRepeated && name.lastValue === field.value;
    const isNewName =
      indexing === Indexing.nameOnly &&
      nameIndex === 0 &&
      field.size < MIN_BYTES_FOR_NAMES &&
      this.#table.capacity >= MIN_BYTES_FOR_NAMES;
    if (isRepeated || isNewName) {
      const end = this.#writeLiteral(out, at, nameIndex, field, WITH_INDEXING, WITH_INDEXING_MASK);
      name.lastValue = undefined;
      this.#table.add(name, field);
      return end;
    }
    if (indexing === Indexing.whenRepeated) name.lastValue = field.value;
    return this.#writeUnindexed(out, at, nameIndex, field, indexing);
  }

  #writeUnindexed(out: Buffer, at: number, nameIndex: number, field: HeaderField, indexing: Indexing): number {
    const kind = indexing === Indexing.never ? NEVER_INDEXED : WITHOUT_INDEXING;
    return this.#writeLiteral(out, at, nameIndex, field, kind, LITERAL_MASK);
  }

  #encodeFields(out: Buffer, at: number, fields: readonly HeaderField[]): number {
    for (let i = 0; i < fields.length; i++) at = this.encodeField(out, at, fields[i]);
    return at;
  }

  #writeTableSize(out: Buffer, at: number): number {
    if (this.#smallest < this.#announced) at = writeInteger(out, at, this.#smallest, TABLE_SIZE_MASK, TABLE_SIZE);
    at = writeInteger(out, at, this.#announced, TABLE_SIZE_MASK, TABLE_SIZE);
    this.#smallest = -1;
    this.#announced = -1;
    return at;
  }

  #writeLiteral(out: Buffer, at: number, nameIndex: number, field: HeaderField, kind: number, mask: number): number {
    const from = kind === WITH_INDEXING ? 0 : this.#huffmanFrom;
    at = writeInteger(out, at, nameIndex, mask, kind);
    if (nameIndex === 0) at = this.#writeString(out, at, field.name, from);
    return this.#writeString(out, at, field.value, from);
  }

  #writeString(out: Buffer, at: number, text: string, huffmanFrom: number): number {
    const { length } = text;
    if (length >= huffmanFrom) {
      const coded = huffmanLength(text);
      if (coded < length) return writeHuffman(out, writeInteger(out, at, coded, LENGTH_MASK, HUFFMAN), text);
    }
    at = writeInteger(out, at, length, LENGTH_MASK, 0);
    if (length > LOOP_CHARS) return at + (out as unknown as Latin1Writable).latin1Write(text, at, length);
    for (let i = 0; i < length; i++) out[at++] = text.charCodeAt(i);
    return at;
  }
}

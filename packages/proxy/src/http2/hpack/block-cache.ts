import type { HeaderBlock } from './header-block.js';
import type { HeaderField } from './header-field.js';

/** Direct-mapped places; connections repeat few different blocks. A power of two. */
const SLOTS = 32;
/** Longest encoded block that is looked up: longer ones are first blocks, or hold values that do not come again. */
const MAX_BLOCK_BYTES = 320;
/** Buffers of a slot grow by this much, so that a slot which changes its block rarely changes its buffer. */
const BUFFER_STEP = 64;

/** Shared, because a typed array costs more to make than the rest of a slot. */
const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: readonly HeaderField[] = [];

class Slot {
  /** Hash of the last block that missed here; a block moves in when it comes a second time. */
  candidate = 0;
  hash = 0;
  length = -1;
  /** Epoch of the table for which the block holds. */
  epoch = -1;
  /** The block names no entry of the dynamic table, so it means the same in every epoch. */
  isSelfContained = false;
  bytes = NO_BYTES;
  block: HeaderBlock | undefined = undefined;
  /** Fields that the block puts into the table each time. */
  insertions: readonly HeaderField[] = NO_FIELDS;
}

function newSlots(): Slot[] {
  const slots: Slot[] = [];
  for (let i = 0; i < SLOTS; i++) slots.push(new Slot());
  return slots;
}

/**
 * Encoded blocks that a connection has sent twice, with what they decode to. A hit costs a comparison of the bytes instead of
 * decoding. A block that refers to the dynamic table counts only while the table is the same; one that does not counts always,
 * and its insertions are made again (nginx sends each answer as such a block).
 */
export class BlockCache {
  #slots: Slot[] | undefined = undefined;
  #hash = 0;
  #insertions: readonly HeaderField[] = NO_FIELDS;

  /** Fields that the block which was found last puts into the table. */
  get insertions(): readonly HeaderField[] {
    return this.#insertions;
  }

  /** Hash of the block that was looked up last. */
  get hash(): number {
    return this.#hash;
  }

  /** The block with exactly these bytes, if it still means the same. */
  find(buffer: Uint8Array, start: number, end: number, epoch: number): HeaderBlock | undefined {
    const length = end - start;
    let hash = length;
    const hashed = length > MAX_BLOCK_BYTES ? start + MAX_BLOCK_BYTES : end;
    for (let i = start; i < hashed; i++) {
      hash = Math.imul(hash ^ buffer[i], 16777619); // FNV-1a with a shift, because slots take the low bits
      hash ^= hash >>> 15;
    }
    this.#hash = hash;
    if (length > MAX_BLOCK_BYTES || this.#slots === undefined) return undefined;
    const slot = this.#slots[hash & (SLOTS - 1)];
    if (slot.hash !== hash || slot.length !== length) return undefined;
    if (!slot.isSelfContained && slot.epoch !== epoch) return undefined;
    const { bytes } = slot;
    for (let i = 0; i < length; i++) if (bytes[i] !== buffer[start + i]) return undefined;
    this.#insertions = slot.insertions;
    return slot.block;
  }

  /**
   * Offers the block that was just looked up in vain and decoded; it is kept when it came twice.
   * @param epoch of the table before the block
   */
  offer(
    buffer: Uint8Array,
    start: number,
    end: number,
    epoch: number,
    isSelfContained: boolean,
    block: HeaderBlock,
    insertions: readonly HeaderField[],
  ): void {
    const length = end - start;
    if (length > MAX_BLOCK_BYTES) return;
    this.#slots ??= newSlots();
    const hash = this.#hash;
    const slot = this.#slots[hash & (SLOTS - 1)];
    if (slot.candidate !== hash) {
      slot.candidate = hash;
      return;
    }
    if (slot.bytes.length < length) slot.bytes = new Uint8Array(Math.ceil(length / BUFFER_STEP) * BUFFER_STEP);
    for (let i = 0; i < length; i++) slot.bytes[i] = buffer[start + i];
    slot.hash = hash;
    slot.length = length;
    slot.epoch = epoch;
    slot.isSelfContained = isSelfContained;
    slot.block = block;
    slot.insertions = insertions;
  }
}

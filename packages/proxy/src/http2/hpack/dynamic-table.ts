import type { HeaderField } from './header-field.js';

/** Places at first; most connections use few. A power of two, as every size of the ring. */
const FIRST_PLACES = 16;

/**
 * The dynamic table (RFC 7541, 2.3.2 and 4): newest field first, oldest evicted first. A ring, so that neither end moves
 * anything. Every field has a sequence number from 0 on, which stays the same while indexes shift.
 */
export class DynamicTable {
  #ring: (HeaderField | undefined)[] = new Array<HeaderField | undefined>(FIRST_PLACES).fill(undefined);
  #capacity: number;
  #size = 0;
  #length = 0;
  #inserted = 0;
  #epoch = 0;

  /** @param capacity bytes, as RFC 7541, 4.1 counts them */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes in use. */
  get size(): number {
    return this.#size;
  }

  /** Fields in the table. */
  get length(): number {
    return this.#length;
  }

  /** Fields ever put in: the sequence number of the next one. */
  get inserted(): number {
    return this.#inserted;
  }

  /** Changes whenever an index may mean another field than before. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The field at `index`, 0 being the newest; undefined when there is none. */
  at(index: number): HeaderField | undefined {
    if (index >= this.#length) return undefined;
    return this.#ring[(this.#inserted - 1 - index) & (this.#ring.length - 1)];
  }

  /** Puts a field in front; one larger than the table empties it and is not kept, which is no error (RFC 7541, 4.4). */
  insert(field: HeaderField): boolean {
    this.#epoch++;
    while (this.#length > 0 && this.#size + field.size > this.#capacity) this.#evict();
    if (field.size > this.#capacity) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#inserted & (this.#ring.length - 1)] = field;
    this.#inserted++;
    this.#length++;
    this.#size += field.size;
    return true;
  }

  /** Sets the capacity in bytes and evicts what no longer fits (RFC 7541, 4.3). */
  resize(capacity: number): void {
    this.#epoch++;
    this.#capacity = capacity;
    while (this.#size > capacity) this.#evict();
  }

  /** Empties the table as a field does that is larger than it. */
  clear(): void {
    this.#epoch++;
    while (this.#length > 0) this.#evict();
  }

  /** Told of each field that leaves; the encoder forgets where it stood. */
  protected evicted(_field: HeaderField, _sequence: number): void {}

  #evict(): void {
    const sequence = this.#inserted - this.#length;
    const place = sequence & (this.#ring.length - 1);
    const field = this.#ring[place] as HeaderField;
    this.#ring[place] = undefined;
    this.#length--;
    this.#size -= field.size;
    this.evicted(field, sequence);
  }

  #grow(): void {
    const old = this.#ring;
    const ring = new Array<HeaderField | undefined>(old.length * 2).fill(undefined);
    const first = this.#inserted - this.#length;
    for (let sequence = first; sequence < this.#inserted; sequence++) {
      ring[sequence & (ring.length - 1)] = old[sequence & (old.length - 1)];
    }
    this.#ring = ring;
  }
}

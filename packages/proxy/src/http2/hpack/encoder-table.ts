import { DynamicTable } from './dynamic-table.js';
import type { HeaderField } from './header-field.js';
import { kindOf, type NameKind } from './indexing.js';
import { STATIC_LENGTH, STATIC_NAMES, type StaticName } from './static-table.js';

/** Names that are remembered per connection; beyond that names are written out, so that odd clients cannot fill memory. */
const MAX_NAMES = 256;

/** What the encoder knows of a name. */
export class KnownName {
  /** Value of the last literal with this name: the second one in a row goes into the table. */
  lastValue: string | undefined = undefined;
  /** Sequence number of the newest entry with this name. */
  newest = -1;
  /** Sequence numbers of entries by value; made with the first entry. */
  entries: Map<string, number> | undefined = undefined;

  constructor(
    readonly inStatic: StaticName | undefined,
    readonly kind: NameKind,
  ) {}
}

/** The encoder's table with a way back from fields to indexes. */
export class EncoderTable extends DynamicTable {
  readonly #names = new Map<string, KnownName>();

  /** What is known of a name; undefined when there are too many names already. */
  name(name: string): KnownName | undefined {
    let known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES) return undefined;
    known = new KnownName(STATIC_NAMES.get(name), kindOf(name));
    this.#names.set(name, known);
    return known;
  }

  /** Index of an entry with this name and value in either table; 0 when there is none. */
  indexOf(name: KnownName, value: string): number {
    const index = name.inStatic?.values.get(value);
    if (index !== undefined) return index;
    const sequence = name.entries?.get(value);
    return sequence === undefined ? 0 : this.#index(sequence);
  }

  /** Index of an entry with this name in either table; 0 when there is none. */
  indexOfName(name: KnownName): number {
    if (name.inStatic !== undefined) return name.inStatic.index;
    return name.newest >= 0 && name.newest >= this.inserted - this.length ? this.#index(name.newest) : 0;
  }

  /** Puts a field in front and remembers where it stands. */
  add(name: KnownName, field: HeaderField): void {
    const sequence = this.inserted;
    if (!this.insert(field)) return;
    name.entries ??= new Map();
    name.entries.set(field.value, sequence);
    name.newest = sequence;
  }

  protected override evicted(field: HeaderField, sequence: number): void {
    const entries = this.#names.get(field.name)?.entries;
    if (entries?.get(field.value) === sequence) entries.delete(field.value);
  }

  #index(sequence: number): number {
    return STATIC_LENGTH + this.inserted - sequence;
  }
}

import type { Indexes } from './indexes.js';

/** A key as `/v1/kv` answers with it; an empty value is null. */
export interface KvEntry {
  readonly LockIndex: number;
  readonly Key: string;
  readonly Flags: number;
  /** In base64. */
  readonly Value: string | null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** Keys and values, each with the index of its last write, and of those that are gone. */
export class KvTable {
  readonly #entries = new Map<string, KvEntry>();
  /** Index of the write that removed a key. */
  readonly #graves = new Map<string, number>();
  #last = 0;

  constructor(
    private readonly indexes: Indexes,
    private readonly changed: () => void,
  ) {}

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string): readonly KvEntry[] {
    const found = [...this.#entries.values()].filter(({ Key }) => Key.startsWith(prefix));
    return found.sort((a, b) => (a.Key < b.Key ? -1 : 1));
  }

  /** Index of a key, or that of all keys when it is not there. */
  indexOf(key: string): number {
    return this.#entries.get(key)?.ModifyIndex ?? this.#last;
  }

  /** Highest index of the keys below a prefix, those that are gone included. */
  indexBelow(prefix: string): number {
    if (prefix === '') return this.#last;
    const graves = [...this.#graves].filter(([key]) => key.startsWith(prefix)).map(([, index]) => index);
    const highest = Math.max(0, ...this.list(prefix).map(({ ModifyIndex }) => ModifyIndex), ...graves);
    return highest === 0 ? this.#last : highest;
  }

  /** @param cas writes only when this is the index of the key, 0 for a key that is not there. @returns whether it was written */
  put(key: string, value: Buffer, flags = 0, cas?: number): boolean {
    const old = this.#entries.get(key);
    if (cas !== undefined && cas !== (old?.ModifyIndex ?? 0)) return false;
    const Value = value.length === 0 ? null : value.toString('base64');
    if (old !== undefined && old.Value === Value && old.Flags === flags) return true;
    const index = (this.#last = this.indexes.next());
    this.#entries.set(key, {
      LockIndex: 0,
      Key: key,
      Flags: flags,
      Value,
      CreateIndex: old?.CreateIndex ?? index,
      ModifyIndex: index,
    });
    this.changed();
    return true;
  }

  /** @param isPrefix also all keys below. @returns whether `cas` allowed it */
  remove(key: string, isPrefix: boolean, cas?: number): boolean {
    if (cas !== undefined && cas !== this.#entries.get(key)?.ModifyIndex) return !this.#entries.has(key);
    const gone = isPrefix ? this.list(key).map(({ Key }) => Key) : [key].filter((one) => this.#entries.has(one));
    if (gone.length === 0) return true;
    this.#last = this.indexes.next();
    for (const one of gone) {
      this.#entries.delete(one);
      this.#graves.set(one, this.#last);
    }
    this.changed();
    return true;
  }

  forget(): void {
    this.#entries.clear();
    this.#graves.clear();
    this.#last = 0;
  }
}

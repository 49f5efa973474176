import { BlockEdits } from '../hpack/block-edits.js';
import type { HeaderField } from '../hpack/header-field.js';

/** Sets that are kept: policies remove a handful of combinations. Beyond them each call makes its own. */
const MAX_SETS = 1000;

/** Edits that leave fields out, made once per set of names, so that encoders recognise what they have written before. */
export class EditSets {
  readonly #byNames = new Map<string, BlockEdits>();

  /** @param names in lower case; the order does not matter to the result, only to whether it is found again */
  without(names: readonly string[]): BlockEdits {
    const key = names.join();
    const known = this.#byNames.get(key);
    if (known !== undefined) return known;
    const edits = new BlockEdits(new Map(names.map((name): [string, undefined] => [name, undefined])));
    if (this.#byNames.size < MAX_SETS) this.#byNames.set(key, edits);
    return edits;
  }

  /** The same, with pseudo-header fields of this call replaced. */
  replacing(names: readonly string[], fields: readonly HeaderField[]): BlockEdits {
    const replaced = new Map<string, HeaderField | undefined>(names.map((name) => [name, undefined]));
    for (const field of fields) replaced.set(field.name, field);
    return new BlockEdits(replaced);
  }
}

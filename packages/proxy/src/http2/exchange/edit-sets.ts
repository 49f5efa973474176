import { BlockEdits } from '../hpack/block-edits.js';
import { HeaderField } from '../hpack/header-field.js';

/** Sets that are kept, of each kind: policies remove a handful of combinations. Beyond them each call makes its own. */
const MAX_SETS = 1000;

/** A longer set is not kept: it holds a path of a client, and a thousand of the longest would be 100 MB. */
const MAX_KEY_CHARS = 1024;

/** Edits of heads, made once per set, so that encoders recognise what they have written before. */
export class EditSets {
  readonly #without = new Map<string, BlockEdits>();
  readonly #replacing = new Map<string, BlockEdits>();

  /** Leaves fields out. @param names in lower case; their order does not matter to the result, only to whether it is found again */
  without(names: readonly string[]): BlockEdits {
    const key = names.join();
    const known = this.#without.get(key);
    if (known !== undefined) return known;
    const edits = new BlockEdits(new Map(leaveOut(names)));
    if (this.#without.size < MAX_SETS) this.#without.set(key, edits);
    return edits;
  }

  /**
   * Leaves fields out of a request, and sends it to another path or authority.
   * @param isPseudo the request says its authority in `:authority`, which comes first when there is a `host` field, too; else in `host`
   */
  replacing(
    names: readonly string[],
    path: string | undefined,
    authority: string | undefined,
    isPseudo: boolean,
  ): BlockEdits {
    // No part can hold a line end.
    const key = `${path ?? ''}\n${authority ?? ''}\n${isPseudo}\n${names.join()}`;
    const known = this.#replacing.get(key);
    if (known !== undefined) return known;
    const replaced = new Map<string, HeaderField | undefined>(leaveOut(names));
    if (path !== undefined) replaced.set(':path', new HeaderField(':path', path));
    if (authority !== undefined) {
      // A host field beside another :authority would contradict it.
      replaced.set('host', isPseudo ? undefined : new HeaderField('host', authority));
      if (isPseudo) replaced.set(':authority', new HeaderField(':authority', authority));
    }
    const edits = new BlockEdits(replaced);
    if (key.length > MAX_KEY_CHARS) return edits;
    // Paths that differ from call to call would fill it with what never comes again.
    if (this.#replacing.size >= MAX_SETS) this.#replacing.clear();
    this.#replacing.set(key, edits);
    return edits;
  }
}

function leaveOut(names: readonly string[]): [string, undefined][] {
  return names.map((name) => [name, undefined]);
}

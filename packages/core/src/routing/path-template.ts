/** One part of a template between slashes: a text, or `undefined` for any one. */
type Segment = string | undefined;

/**
 * A path with places: `{id}` or `*` stands for any one segment that is not empty, `**` at the end for whatever follows, nothing included.
 * A path is compared as it was sent: nothing is decoded or normalised.
 */
export class PathTemplate {
  readonly #segments: readonly Segment[];
  readonly #open: boolean;

  constructor(readonly source: string) {
    const parts = source.split('/').slice(source.startsWith('/') ? 1 : 0);
    this.#open = parts.at(-1) === '**';
    if (this.#open) parts.pop();
    this.#segments = parts.map((part) => (part === '*' || /^\{.*\}$/.test(part) ? undefined : part));
  }

  /** @param path without the query */
  matches(path: string): boolean {
    let at = 0;
    for (const segment of this.#segments) {
      if (path.charCodeAt(at) !== SLASH) return false;
      const start = at + 1;
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      if (segment === undefined ? end === start : end - start !== segment.length || !path.startsWith(segment, start)) {
        return false;
      }
      at = end;
    }
    return this.#open ? at === path.length || path.charCodeAt(at) === SLASH : at === path.length;
  }
}

const SLASH = 47;

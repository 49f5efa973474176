import { PathTemplate } from '../../routing/path-template.js';

/** Paths of calls that get no spans: probes, most of all. */
export class IgnoredPaths {
  readonly #exact: ReadonlySet<string>;
  readonly #templates: readonly PathTemplate[];
  readonly #isEmpty: boolean;

  /** @param paths as they are sent, or with `*`, `{id}` and, at the end, `**` */
  constructor(paths: readonly string[]) {
    this.#exact = new Set(paths);
    this.#templates = paths.filter((path) => /[*{]/.test(path)).map((path) => new PathTemplate(path));
    this.#isEmpty = paths.length === 0;
  }

  /** @param path with query */
  has(path: string): boolean {
    if (this.#isEmpty) return false;
    const query = path.indexOf('?');
    const bare = query < 0 ? path : path.slice(0, query);
    return this.#exact.has(bare) || this.#templates.some((template) => template.matches(bare));
  }
}

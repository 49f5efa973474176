const SLASH = 47;

/**
 * The form that the paths of an operation have: `/orders/{id}/items`. A name in braces, or `*`, stands for one part; `/**` at the end for
 * anything below. The query does not count, nor does a slash at the end. Parts are compared as they are written: letter case
 * counts, and `%41` is not `A`.
 */
export class OperationPath {
  readonly #parts: readonly (string | undefined)[];
  readonly #isOpen: boolean;

  /** @param text a template that {@link whatIsWrongWithPath} has nothing to say about */
  constructor(readonly text: string) {
    const parts = text.split('/').slice(1);
    if (parts.at(-1) === '') parts.pop();
    this.#isOpen = parts.at(-1) === '**';
    if (this.#isOpen) parts.pop();
    this.#parts = parts.map((part) => (isVariable(part) ? undefined : part));
  }

  /** Templates that say more come first: more parts, then more fixed ones, then those that end. */
  static compare(a: OperationPath, b: OperationPath): number {
    const fixed = (template: OperationPath): number => template.#parts.filter((part) => part !== undefined).length;
    return b.#parts.length - a.#parts.length || fixed(b) - fixed(a) || Number(a.#isOpen) - Number(b.#isOpen);
  }

  /** @param path path with query, as it was sent */
  matches(path: string): boolean {
    if (path.charCodeAt(0) !== SLASH) return false;
    const query = path.indexOf('?');
    let end = query < 0 ? path.length : query;
    if (end > 1 && path.charCodeAt(end - 1) === SLASH) end--;
    let at = 1;
    for (const part of this.#parts) {
      if (at >= end) return false;
      const slash = path.indexOf('/', at);
      const next = slash < 0 || slash > end ? end : slash;
      if (part === undefined ? next === at : next - at !== part.length || !path.startsWith(part, at)) return false;
      at = next + 1;
    }
    return this.#isOpen || at >= end;
  }
}

function isVariable(part: string): boolean {
  return part === '*' || (part.startsWith('{') && part.endsWith('}'));
}

/** What is wrong with a path template, or undefined. */
export function whatIsWrongWithPath(text: string): string | undefined {
  if (!text.startsWith('/')) return `'${text}' is no path: it must start with '/'`;
  if (/[?#\s]/.test(text)) return `'${text}' is no path: a query, a fragment or a blank never matches`;
  const parts = text.split('/').slice(1);
  if (parts.slice(0, -1).includes('**')) return `'${text}': '**' may only be the last part`;
  const odd = parts.find((part) => /[{}]/.test(part) && !/^\{[^{}]+\}$/.test(part));
  return odd === undefined ? undefined : `'${text}': a name in braces must be a whole part, and '${odd}' is not`;
}

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** The query of a request target with its question mark; empty when there is none. */
export function queryOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query);
}

/**
 * The value of the first query parameter of that name, decoded as `application/x-www-form-urlencoded` has it; what cannot be decoded
 * stays as it is.
 * @returns undefined when there is no such parameter
 */
export function queryParameter(target: string, name: string): string | undefined {
  let start = target.indexOf('?') + 1;
  if (start === 0) return undefined;
  while (start <= target.length) {
    const ampersand = target.indexOf('&', start);
    const end = ampersand < 0 ? target.length : ampersand;
    const equals = target.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (isNamed(target, start, nameEnd, name)) return nameEnd === end ? '' : decode(target.slice(nameEnd + 1, end));
    start = end + 1;
  }
  return undefined;
}

function isNamed(target: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length && target.startsWith(name, start)) return true;
  // A name that is as long as it is written has nothing that could be decoded.
  return end - start > name.length && decode(target.slice(start, end)) === name;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** The members of a JSON object; none for anything else. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

/** The items of a JSON list; none for anything else, null included. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The members of an object that are texts. */
export function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(membersOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Characters of something strange that a message shows. */
const EXCERPT = 120;

/** The beginning of something strange, for a message: a server may send megabytes, and objects that cannot be made a text. */
export function excerptOf(value: unknown): string {
  if (typeof value === 'string')
    return value
      .slice(0, 4 * EXCERPT)
      .replaceAll(/\s+/g, ' ')
      .trim()
      .slice(0, EXCERPT);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}

/** Longest name of a service, as in service-center. */
const MAX_NAME_LENGTH = 128;
/** Longest file name in bytes that common file systems accept. */
const MAX_FILE_NAME_BYTES = 255;
/** Room that the names of temporary files add to the name of the file: a dot, a token and `.tmp`. */
const TEMPORARY_NAME_ROOM = 32;

/**
 * One part of a service name. What is left out on purpose: blanks and control characters (cannot appear in a URL's host),
 * `~` and `#` (back-up files of editors), a leading dot (hidden files) and a leading dash.
 */
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/;

/** True for a file or folder name that may be part of a service name. */
export function isNameSegment(name: string): boolean {
  return SEGMENT.test(name);
}

/** True for a whole service name: parts joined by `/`, such as `world` or `shop/orders`. */
export function isServiceName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && name.split('/').every(isNameSegment);
}

/**
 * A file name that stands for `text`: reserved characters are percent-encoded, so `shop/orders` becomes `shop%2Forders`.
 * @returns undefined when the text is empty or too long to be a file name with `suffix`
 */
export function encodeFileName(text: string, suffix = ''): string | undefined {
  if (text === '') return undefined;
  let encoded: string;
  try {
    encoded = encodeURIComponent(text);
  } catch {
    return undefined; // half of a surrogate pair
  }
  // A leading dot would hide the file; `*` is not allowed in names on Windows.
  encoded = encoded.replace(/^\./, '%2E').replaceAll('*', '%2A') + suffix;
  return encoded.length + TEMPORARY_NAME_ROOM > MAX_FILE_NAME_BYTES ? undefined : encoded;
}

/** The text for which a file name made by {@link encodeFileName} stands; undefined for any other name. */
export function decodeFileName(name: string, suffix = ''): string | undefined {
  if (!name.endsWith(suffix) || name.startsWith('.')) return undefined;
  try {
    const text = decodeURIComponent(name.slice(0, name.length - suffix.length));
    return encodeFileName(text, suffix) === name ? text : undefined;
  } catch {
    return undefined;
  }
}

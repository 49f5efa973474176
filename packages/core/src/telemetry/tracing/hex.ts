const ZERO = 48;
const NINE = 57;
const LOWER_A = 97;
const LOWER_F = 102;

/** True when `text` has lower-case hexadecimal digits, and nothing else, from `start` to `end`. */
export function isLowerHex(text: string, start: number, end: number): boolean {
  if (end > text.length) return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= ZERO && code <= NINE) || (code >= LOWER_A && code <= LOWER_F))) return false;
  }
  return true;
}

/** True for an id that is no id: all zeros. */
export function isAllZero(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== ZERO) return false;
  return true;
}

/**
 * An id of another system, in the width and case that is used here.
 * @returns undefined for what is no hexadecimal number, is longer than `width`, or is zero
 */
export function readId(text: string, width: number): string | undefined {
  if (text.length === 0 || text.length > width) return undefined;
  const lower = text.toLowerCase();
  if (!isLowerHex(lower, 0, lower.length) || isAllZero(lower)) return undefined;
  return lower.padStart(width, '0');
}

/** Byte classes of HTTP/1.1 syntax as look-up tables: one array read per byte instead of comparisons. */

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

/** 1 for each `tchar` (RFC 9110, 5.6.2): methods and field names. */
export const TOKEN: Uint8Array = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = 1;
}

/** 1 for each byte of a field value (RFC 9110, 5.5): HTAB, SP, VCHAR, obs-text. NUL, CR, LF and DEL are not among them. */
export const FIELD_VALUE: Uint8Array = new Uint8Array(256);
FIELD_VALUE.fill(1, 0x20, 0x100);
FIELD_VALUE[HTAB] = 1;
FIELD_VALUE[0x7f] = 0;

/** 1 for each byte that may stand in a request target: visible ASCII without `#`, because a fragment is never sent (RFC 9112, 3.2). */
export const TARGET: Uint8Array = new Uint8Array(256);
TARGET.fill(1, 0x21, 0x7f);
TARGET[0x23] = 0;

/** 1 for each byte of `uri-host [ ":" port ]` (RFC 3986, 3.2): no userinfo, no space, no slash. */
export const AUTHORITY: Uint8Array = new Uint8Array(256);
for (const char of "-._~!$&'()*+,;=%:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  AUTHORITY[char.charCodeAt(0)] = 1;
}

/** Value of a hexadecimal digit, 255 for any other byte. */
export const HEX: Uint8Array = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const char = digit.toString(16);
  HEX[char.charCodeAt(0)] = digit;
  HEX[char.toUpperCase().charCodeAt(0)] = digit;
}

/** Each byte with ASCII letters in lower case; bytes that are no letters stay as they are (`^` is not `~`). */
const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

/** The bytes of a lower-case name, for {@link equalsIgnoreCase}. */
export function nameBytes(lowerCaseName: string): Uint8Array {
  return Uint8Array.from(lowerCaseName, (char) => char.charCodeAt(0));
}

/** True when `buffer` holds `lowerCase` at `offset` in any letter case. The caller has checked the length. */
export function equalsIgnoreCase(buffer: Uint8Array, offset: number, lowerCase: Uint8Array): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    const byte = buffer[offset + i];
    if (byte !== lowerCase[i] && LOWER[byte] !== lowerCase[i]) return false;
  }
  return true;
}

interface Latin1Sliceable {
  latin1Slice(start: number, end: number): string;
}

/** The bytes [start, end) as a string with one char per byte, so that what is written back is what was read. */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as Latin1Sliceable).latin1Slice(start, end);
}

/**
 * First position in [start, end) that is no SP. For the fields that frame a message: HTAB is a blank there by the letter of RFC 9110,
 * 5.6.3, but Node and others do not take it for one, and whoever disagrees about these fields disagrees about where messages end.
 */
export function skipSpaces(buffer: Uint8Array, start: number, end: number): number {
  while (start < end && buffer[start] === SP) start++;
  return start;
}

/** Position after the last byte in [start, end) that is no SP, see {@link skipSpaces}. */
export function trimSpaces(buffer: Uint8Array, start: number, end: number): number {
  while (end > start && buffer[end - 1] === SP) end--;
  return end;
}

/** First position in [start, end) that is neither SP nor HTAB. */
export function skipWhitespace(buffer: Uint8Array, start: number, end: number): number {
  while (start < end && (buffer[start] === SP || buffer[start] === HTAB)) start++;
  return start;
}

/** Position after the last byte in [start, end) that is neither SP nor HTAB. */
export function trimWhitespace(buffer: Uint8Array, start: number, end: number): number {
  while (end > start && (buffer[end - 1] === SP || buffer[end - 1] === HTAB)) end--;
  return end;
}

/** `text` without SP and HTAB at either end; `trim()` would take further characters, which other parsers keep (RFC 9110, 5.6.3). */
export function trimText(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

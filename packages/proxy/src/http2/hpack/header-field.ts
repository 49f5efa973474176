import { FIELD_VALUE, HTAB, SP, TOKEN } from '../../http1/characters.js';

/** What an entry costs beside its bytes (RFC 7541, 4.1). */
export const FIELD_OVERHEAD = 32;

/** The byte may stand in a field name: a `tchar` that is no upper-case letter (RFC 9113, 8.2.1). */
export const NAME_BYTE = 1;
/** The byte may stand in a field value, by the same rule as in HTTP/1, so that no value means more to an HTTP/1 peer than to us. */
export const VALUE_BYTE = 2;

/** {@link NAME_BYTE} and {@link VALUE_BYTE} for each byte. */
export const FIELD_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isUpperCase = byte >= 65 && byte <= 90;
  return (TOKEN[byte] === 1 && !isUpperCase ? NAME_BYTE : 0) | (FIELD_VALUE[byte] === 1 ? VALUE_BYTE : 0);
});

const COLON = 58;

/** True for names of pseudo-header fields (RFC 9113, 8.3). */
export function isPseudo(name: string): boolean {
  return name.charCodeAt(0) === COLON;
}

/** True when the value begins or ends with SP or HTAB, which RFC 9113, 8.2.1 forbids. */
function hasOuterBlank(value: string): boolean {
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first === SP || first === HTAB || last === SP || last === HTAB;
}

function areBytesOf(kind: number, text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || (FIELD_BYTES[code] & kind) === 0) return false;
  }
  return true;
}

/**
 * One header field, never changed after it was made: tables, blocks and caches share it. Name and value are strings of one char
 * per byte (latin1), so that what is written is what was read.
 */
export class HeaderField {
  /** Bytes that it counts for in a table or a list: name, value and 32 (RFC 7541, 4.1; RFC 9113, 10.5.1). */
  readonly size: number;
  /** True when name or value have bytes that RFC 9113, 8.2.1 forbids; the message that holds it is malformed. */
  readonly isMalformed: boolean;

  /**
   * @param neverIndexed no table on the way may keep it (RFC 7541, 6.2.3), here and at the next hop
   * @param isNameValid whether the bytes of the name were found valid; looked at when not given
   * @param isValueValid the same for the bytes of the value
   */
  constructor(
    readonly name: string,
    readonly value: string,
    readonly neverIndexed: boolean = false,
    isNameValid: boolean = isValidName(name),
    isValueValid: boolean = areBytesOf(VALUE_BYTE, value, 0),
  ) {
    this.size = name.length + value.length + FIELD_OVERHEAD;
    this.isMalformed = !isNameValid || !isValueValid || (value.length > 0 && hasOuterBlank(value));
  }
}

/** True for a lower-case token, with a colon before it or not. */
export function isValidName(name: string): boolean {
  const from = isPseudo(name) ? 1 : 0;
  return name.length > from && areBytesOf(NAME_BYTE, name, from);
}

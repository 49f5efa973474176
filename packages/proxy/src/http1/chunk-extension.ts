import { CR, FIELD_VALUE, TOKEN } from './characters.js';

const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;
export const SEMICOLON = 59;

/** Behind `;`: a name must follow. */
export const EXTENSION_START = 0;
const NAME = 1;
/** Behind `=`: a value must follow. */
const VALUE_START = 2;
const VALUE = 3;
const QUOTED = 4;
const QUOTED_PAIR = 5;
const QUOTE_END = 6;
/** The CR that ends the line has come. */
export const EXTENSION_END = 7;
export const EXTENSION_BROKEN = 8;

/**
 * Follows `;name`, `;name=value` and `;name="value"` byte by byte. What an extension says means nothing here, but a reader that takes
 * quotes or blanks another way must not find the end of the line elsewhere. Blanks around `;` and `=` are for parsers of ancient
 * senders (RFC 9112, 7.1.1); Node accepts none either.
 * @param at the state so far, {@link EXTENSION_START} at first
 * @returns the next state; {@link EXTENSION_END} or {@link EXTENSION_BROKEN} at last
 */
export function followExtension(at: number, byte: number): number {
  switch (at) {
    case EXTENSION_START:
      return TOKEN[byte] === 1 ? NAME : EXTENSION_BROKEN;
    case NAME:
      if (TOKEN[byte] === 1) return NAME;
      return byte === EQUALS ? VALUE_START : afterValue(byte);
    case VALUE_START:
      if (byte === QUOTE) return QUOTED;
      return TOKEN[byte] === 1 ? VALUE : EXTENSION_BROKEN;
    case VALUE:
      return TOKEN[byte] === 1 ? VALUE : afterValue(byte);
    case QUOTED:
      if (byte === QUOTE) return QUOTE_END;
      if (byte === BACKSLASH) return QUOTED_PAIR;
      return FIELD_VALUE[byte] === 1 ? QUOTED : EXTENSION_BROKEN;
    case QUOTED_PAIR:
      return FIELD_VALUE[byte] === 1 ? QUOTED : EXTENSION_BROKEN;
    default:
      return afterValue(byte);
  }
}

function afterValue(byte: number): number {
  if (byte === CR) return EXTENSION_END;
  return byte === SEMICOLON ? EXTENSION_START : EXTENSION_BROKEN;
}

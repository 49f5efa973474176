const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** What a byte means between values: 1 opens, 2 closes, 3 separates, 4 begins a text. All others mean nothing to a scanner. */
const MEANING = new Uint8Array(256);
for (const opening of '[{') MEANING[opening.charCodeAt(0)] = 1;
for (const closing of ']}') MEANING[closing.charCodeAt(0)] = 2;
MEANING[COMMA] = 3;
MEANING[QUOTE] = 4;

/**
 * Walks over the bytes of JSON text and finds where values end, without reading them. It trusts the text to be JSON: whoever reads the
 * values finds out where it is not. UTF-8 needs no care: no byte of a longer character looks like one of ASCII (RFC 3629, 3).
 */
export class JsonScanner {
  /** The next byte to look at. */
  at = 0;
  #depth = 0;
  #inText = false;

  constructor(readonly bytes: Uint8Array) {}

  /** The byte at {@link at}; undefined at the end. */
  get byte(): number | undefined {
    return this.bytes[this.at];
  }

  skipBlanks(): void {
    const { bytes } = this;
    let { at } = this;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
    this.at = at;
  }

  /** Begins with a value at `at`. */
  begin(at: number): void {
    this.at = at;
    this.#depth = 0;
    this.#inText = false;
  }

  /**
   * Goes on to the comma or the bracket that follows the value, but not beyond `limit`.
   * @returns true when the value ended: {@link at} is at what follows it, or at the end of the text
   */
  untilEnd(limit: number): boolean {
    const { bytes } = this;
    const end = Math.min(limit, bytes.length);
    let at = this.at;
    let depth = this.#depth;
    let inText = this.#inText;
    let isOver = false;
    while (at < end) {
      const byte = bytes[at] as number;
      if (inText) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inText = false;
        at++;
        continue;
      }
      const meaning = MEANING[byte] as number;
      if (meaning === 4) inText = true;
      else if (meaning === 1) depth++;
      else if (meaning !== 0 && depth === 0) {
        isOver = true;
        break;
      } else if (meaning === 2) depth--;
      at++;
    }
    this.at = at;
    this.#depth = depth;
    this.#inText = inText;
    return isOver || at >= bytes.length;
  }

  /** Goes behind the text that begins at {@link at}. @throws SyntaxError when none begins there, or it does not end */
  skipText(): void {
    const { bytes } = this;
    if (this.byte !== QUOTE) throw new SyntaxError('a name was expected');
    for (let at = this.at + 1; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) {
        this.at = at + 1;
        return;
      }
    }
    throw new SyntaxError('a text does not end');
  }
}

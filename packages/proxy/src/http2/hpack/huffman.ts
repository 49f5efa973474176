import { latin1 } from '../../http1/characters.js';
import { FIELD_BYTES } from './header-field.js';
import { EMITS, FAILS, HUFFMAN_AUTOMATON, SYMBOL_SHIFT } from './huffman-automaton.js';
import { CODES, CODE_LENGTHS } from './huffman-code.js';

/** First size of the buffer for decoded text; nearly all strings are shorter. */
const FIRST_SCRATCH = 4096;
/** The shortest code has 5 bits, so a byte decodes to 8/5 bytes at most. */
const LONGEST = 8 / 5;
/** Largest buffer that is kept between strings. */
const KEPT_SCRATCH = 65_536;

/** Decodes Huffman strings; one serves any number of connections, because no string outlives a call. */
export class HuffmanDecoder {
  #scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH);

  /** Bits of {@link FIELD_BYTES} that all bytes of the last string have. */
  bytesAre = 0;

  /** Decodes `[start, end)`. Returns undefined when it is no valid Huffman string: EOS in it or wrong padding (RFC 7541, 5.2). */
  decode(buffer: Uint8Array, start: number, end: number): string | undefined {
    const { transitions, mayEnd } = HUFFMAN_AUTOMATON;
    const room = (end - start) * LONGEST;
    if (this.#scratch.length < room) this.#scratch = Buffer.allocUnsafeSlow(Math.ceil(room));
    const scratch = this.#scratch;
    let length = 0;
    let state = 0;
    let seen = 0;
    let are = 255;
    for (let i = start; i < end; i++) {
      const byte = buffer[i];
      const high = transitions[(state << 4) | (byte >> 4)];
      if ((high & EMITS) !== 0) {
        const symbol = high >> SYMBOL_SHIFT;
        scratch[length++] = symbol;
        are &= FIELD_BYTES[symbol];
      }
      const low = transitions[((high & 255) << 4) | (byte & 15)];
      if ((low & EMITS) !== 0) {
        const symbol = low >> SYMBOL_SHIFT;
        scratch[length++] = symbol;
        are &= FIELD_BYTES[symbol];
      }
      seen |= high | low;
      state = low & 255;
    }
    if ((seen & FAILS) !== 0 || mayEnd[state] === 0) return undefined;
    this.bytesAre = are;
    const text = latin1(scratch, 0, length);
    if (scratch.length > KEPT_SCRATCH) this.#scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH);
    return text;
  }
}

/** Bytes that `text` (one char per byte) takes in the Huffman code. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_LENGTHS[text.charCodeAt(i)];
  return (bits + 7) >> 3;
}

/** Writes `text` in the Huffman code at `at`; returns the position after it. The caller has made room for {@link huffmanLength}. */
export function writeHuffman(out: Uint8Array, at: number, text: string): number {
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let code = CODES[symbol];
    let length = CODE_LENGTHS[symbol];
    // At most 7 bits wait and a code has 30, more than 32 together: long codes go in two parts.
    if (length > 24) {
      const rest = length - 24;
      pending = (pending << 24) | (code >>> rest);
      bits += 24;
      while (bits >= 8) out[at++] = pending >>> (bits -= 8);
      code &= (1 << rest) - 1;
      length = rest;
    }
    pending = (pending << length) | code;
    bits += length;
    while (bits >= 8) out[at++] = pending >>> (bits -= 8);
  }
  if (bits > 0) out[at++] = (pending << (8 - bits)) | (255 >> bits);
  return at;
}

/** Symbols: 256 bytes and EOS. */
const SYMBOLS = 257;
/** End of string: its bits pad the last byte, but it never stands in one (RFC 7541, 5.2). */
export const EOS = 256;

/**
 * Length in bits of each symbol's code (RFC 7541, appendix B), as runs of `[length, count]` in the order of the symbols.
 * The code is canonical: lengths alone determine it.
 */
// prettier-ignore
const LENGTH_RUNS: readonly number[] = [
  13, 1, 23, 1, 28, 7, 24, 1, 30, 1, 28, 2, 30, 1, 28, 8, 30, 1, 28, 9, 6, 1, 10, 2, 12, 1, 13, 1, 6, 1, 8, 1, 11, 1,
  10, 2, 8, 1, 11, 1, 8, 1, 6, 3, 5, 3, 6, 7, 7, 1, 8, 1, 15, 1, 6, 1, 12, 1, 10, 1, 13, 1, 6, 1, 7, 22, 8, 1, 7, 1,
  8, 1, 13, 1, 19, 1, 13, 1, 14, 1, 6, 1, 15, 1, 5, 1, 6, 1, 5, 1, 6, 1, 5, 1, 6, 3, 5, 1, 7, 2, 6, 3, 5, 1, 6, 1,
  7, 1, 6, 1, 5, 2, 6, 1, 7, 5, 15, 1, 11, 1, 14, 1, 13, 1, 28, 1, 20, 1, 22, 1, 20, 2, 22, 3, 23, 1, 22, 1, 23, 5,
  24, 1, 23, 1, 24, 2, 22, 1, 23, 1, 24, 1, 23, 4, 21, 1, 22, 1, 23, 1, 22, 1, 23, 2, 24, 1, 22, 1, 21, 1, 20, 1,
  22, 2, 23, 2, 21, 1, 23, 1, 22, 2, 24, 1, 21, 1, 22, 1, 23, 2, 21, 2, 22, 1, 21, 1, 23, 1, 22, 1, 23, 2, 20, 1,
  22, 3, 23, 1, 22, 2, 23, 1, 26, 2, 20, 1, 19, 1, 22, 1, 23, 1, 22, 1, 25, 1, 26, 3, 27, 2, 26, 1, 24, 1, 25, 1,
  19, 1, 21, 1, 26, 1, 27, 2, 26, 1, 27, 1, 24, 1, 21, 2, 26, 2, 28, 1, 27, 3, 20, 1, 24, 1, 20, 1, 21, 1, 22, 1,
  21, 2, 23, 1, 22, 2, 25, 2, 24, 2, 26, 1, 23, 1, 26, 1, 27, 1, 26, 2, 27, 5, 28, 1, 27, 5, 26, 1, 30, 1,
];

function codeLengths(): Uint8Array {
  const lengths = new Uint8Array(SYMBOLS);
  let symbol = 0;
  for (let i = 0; i < LENGTH_RUNS.length; i += 2) {
    lengths.fill(LENGTH_RUNS[i], symbol, symbol + LENGTH_RUNS[i + 1]);
    symbol += LENGTH_RUNS[i + 1];
  }
  return lengths;
}

/** Bits of the code of each symbol. */
export const CODE_LENGTHS: Uint8Array = codeLengths();

function canonicalCodes(): Uint32Array {
  const codes = new Uint32Array(SYMBOLS);
  const order = Array.from(codes.keys()).sort((a, b) => CODE_LENGTHS[a] - CODE_LENGTHS[b] || a - b);
  let code = 0;
  let length = CODE_LENGTHS[order[0]];
  for (const symbol of order) {
    code *= 2 ** (CODE_LENGTHS[symbol] - length);
    length = CODE_LENGTHS[symbol];
    codes[symbol] = code;
    code++;
  }
  return codes;
}

/** Code of each symbol, in its low bits. */
export const CODES: Uint32Array = canonicalCodes();

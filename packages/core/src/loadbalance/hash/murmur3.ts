const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function mixed(k: number): number {
  const product = Math.imul(k, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function joined(h: number, k: number): number {
  const x = h ^ mixed(k);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finalizer of MurmurHash3: each bit of the input changes about half of the bits of the result. */
export function avalanche(h: number): number {
  let x = h;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * MurmurHash3_x86_32 (A. Appleby, public domain) of bytes.
 * @returns 0..2^32-1
 */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  const { length } = bytes;
  const whole = length & ~3;
  let h = seed | 0;
  for (let i = 0; i < whole; i += 4) h = joined(h, word(bytes, i));
  let rest = 0;
  for (let i = length - 1; i >= whole; i--) rest = (rest << 8) | (bytes[i] as number);
  if (whole < length) h ^= mixed(rest);
  return avalanche(h ^ length);
}

/**
 * {@link murmur3} of a text as UTF-8. What is ASCII is read in place: nothing is allocated for it.
 * @returns 0..2^32-1
 */
export function murmur3Text(text: string, seed = 0): number {
  const { length } = text;
  const whole = length & ~3;
  let h = seed | 0;
  let seen = 0;
  for (let i = 0; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    h = joined(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let rest = 0;
  for (let i = length - 1; i >= whole; i--) {
    seen |= text.charCodeAt(i);
    rest = (rest << 8) | text.charCodeAt(i);
  }
  if (seen > LAST_ASCII) return murmur3(Buffer.from(text), seed);
  if (whole < length) h ^= mixed(rest);
  return avalanche(h ^ length);
}

const LAST_ASCII = 0x7f;

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

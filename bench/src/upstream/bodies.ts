/** One answer that every upstream gives. */
export interface FixedBody {
  readonly path: string;
  readonly body: Buffer;
}

const SMALL_BYTES = 128;
const MEDIUM_BYTES = 16_384;

export const SMALL_PATH = '/128';
export const MEDIUM_PATH = '/16k';
export const LARGE_PATH = '/large.bin';
/** As the large file, but so short that many downloads end within a sample: those of h2load count when they have ended. */
export const STREAM_PATH = '/stream.bin';
/** Answers with what the upstream saw of the request's headers, to prove that every candidate did the work asked of it. */
export const SEEN_PATH = '/seen';

/** The answers of fixed size: letters, so that no candidate can gain by a special case such as pages of zeros. */
export const BODIES: readonly FixedBody[] = [
  { path: SMALL_PATH, body: letters(SMALL_BYTES) },
  { path: MEDIUM_PATH, body: letters(MEDIUM_BYTES) },
];

/** Size of the large file: large beside all buffers, small enough to stay in the page cache. */
export const LARGE_BYTES = 134_217_728;

export const STREAM_BYTES = 16_777_216;

/** Deterministic letters. */
export function letters(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = 0x2545f491;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = 97 + ((state >>> 24) % 26);
  }
  return bytes;
}

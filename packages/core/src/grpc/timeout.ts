/** The field with the time that the caller gives a call, from its beginning to its last byte (PROTOCOL-HTTP2, `Timeout`). */
export const GRPC_TIMEOUT_FIELD = 'grpc-timeout';

/** Digits that the protocol allows. */
const MAX_DIGITS = 8;
const LARGEST = 10 ** MAX_DIGITS - 1;

/** Units by their letter, in milliseconds, the smallest first. */
const UNITS: readonly (readonly [letter: string, ms: number])[] = [
  ['n', 1e-6],
  ['u', 1e-3],
  ['m', 1],
  ['S', 1000],
  ['M', 60_000],
  ['H', 3_600_000],
];

/** Milliseconds of a `grpc-timeout`: up to eight digits and a unit (H, M, S, m, u, n). @returns undefined when it is none */
export function parseGrpcTimeout(text: string): number | undefined {
  const last = text.length - 1;
  if (last < 1 || last > MAX_DIGITS) return undefined;
  let value = 0;
  for (let i = 0; i < last; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  const ms = msOf(text.charCodeAt(last));
  return ms === 0 ? undefined : value * ms;
}

/**
 * A `grpc-timeout` of so many milliseconds, in the smallest unit from milliseconds on whose number has eight digits at most; rounded up,
 * for a called service that gave up a moment before its caller would make an error of an answer in time.
 */
export function formatGrpcTimeout(ms: number): string {
  for (const [letter, unit] of UNITS) {
    const value = Math.ceil(ms / unit);
    if (unit >= 1 && value <= LARGEST) return `${Math.max(0, value)}${letter}`;
  }
  return `${LARGEST}H`;
}

function msOf(letter: number): number {
  switch (letter) {
    case 72: // H
      return 3_600_000;
    case 77: // M
      return 60_000;
    case 83: // S
      return 1000;
    case 109: // m
      return 1;
    case 117: // u
      return 1e-3;
    case 110: // n
      return 1e-6;
    default:
      return 0;
  }
}

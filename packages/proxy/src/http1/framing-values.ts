import { equalsIgnoreCase, nameBytes, skipSpaces, skipWhitespace, trimSpaces, trimWhitespace } from './characters.js';

const TIMEOUT = nameBytes('timeout=');
const COMMA = 44;

/** Longest Content-Length accepted: 15 digits stay exact in a double (RFC 9110, 8.6 asks to anticipate large values). */
const MAX_LENGTH_DIGITS = 15;

/** Seconds of a `Keep-Alive` timeout that are told apart: six digits are eleven days. */
const MAX_TIMEOUT_DIGITS = 6;

/** The number that [start, end) holds and nothing else; -1 when it holds anything else. */
function readDigits(buffer: Uint8Array, start: number, end: number, maxDigits: number): number {
  if (end <= start || end - start > maxDigits) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = buffer[i] - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** Value of Content-Length in bytes; -1 when it is not one plain number. */
export function readLength(buffer: Uint8Array, valueStart: number, valueEnd: number): number {
  const start = skipSpaces(buffer, valueStart, valueEnd);
  return readDigits(buffer, start, trimSpaces(buffer, start, valueEnd), MAX_LENGTH_DIGITS);
}

/**
 * Seconds of `timeout=5, max=100` (RFC 2068, 19.7.1.1), read in place because most servers send it with each answer.
 * @param otherwise when the value names no timeout
 */
export function readKeepAliveTimeout(buffer: Uint8Array, start: number, end: number, otherwise: number): number {
  let timeout = otherwise;
  for (let i = start; i < end; i++) {
    i = skipWhitespace(buffer, i, end);
    let next = i;
    while (next < end && buffer[next] !== COMMA) next++;
    const from = i + TIMEOUT.length;
    const to = trimWhitespace(buffer, i, next);
    if (to > from && equalsIgnoreCase(buffer, i, TIMEOUT)) {
      const seconds = readDigits(buffer, from, to, MAX_TIMEOUT_DIGITS);
      if (seconds >= 0) timeout = seconds;
    }
    i = next;
  }
  return timeout;
}

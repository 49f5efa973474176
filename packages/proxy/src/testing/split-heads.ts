import { COMPLETE, INCOMPLETE, type ScanResult } from '../http1/field-scanner.js';

/** The bytes of a text, one per char. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** What of a scanner {@link scanSteps} uses. */
type Scan = (buffer: Buffer, from: number, limit: number) => ScanResult;

/**
 * Delivers a head as a connection does: a growing buffer, scanned anew after each delivery.
 * @param ends how many bytes are there at each delivery, ascending
 * @returns the first result other than INCOMPLETE, and how many bytes were there by then
 */
export function scanSteps(scan: Scan, bytes: Buffer, ends: Iterable<number>): { result: ScanResult; at: number } {
  let at = 0;
  for (const end of ends) {
    at = end;
    // A copy of just these bytes: reading beyond them would show as a wrong result.
    const result = scan(Buffer.from(bytes.subarray(0, end)), 0, end);
    if (result !== INCOMPLETE) return { result, at };
  }
  return { result: INCOMPLETE, at };
}

/** 1, 2, 3, ... : every byte on its own. */
export function* byteByByte(length: number): Generator<number> {
  for (let end = 1; end <= length; end++) yield end;
}

/** All ways to deliver `length` bytes in two pieces, then a sample of those in three (every pair of cuts `stride` apart). */
export function* deliveries(length: number, stride: number): Generator<number[]> {
  for (let first = 1; first < length; first++) yield [first, length];
  for (let first = 1; first < length; first += stride) {
    for (let second = first + 1; second < length; second += stride) yield [first, second, length];
  }
}

/** True when a scan ended well with exactly the last byte. */
export function completeAtEnd(outcome: { result: ScanResult; at: number }, length: number): boolean {
  return outcome.result === COMPLETE && outcome.at === length;
}

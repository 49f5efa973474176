import { COLON, CR, HTAB, LF, SP } from './characters.js';

/** Says what is wrong with the field line that starts at `line`, whose name ends in the byte at `at` that cannot stand there. */
export function nameProblem(buffer: Uint8Array, line: number, at: number): string {
  const byte = buffer[at];
  const isBlank = byte === SP || byte === HTAB;
  if (isBlank && at === line) return 'a folded header line (obs-fold)';
  if (isBlank) return 'whitespace between field name and colon';
  if (byte === LF) return 'a bare LF in the header section';
  if (byte === COLON) return 'a header line without a name';
  return 'a character in a field name that is not allowed there';
}

/** Says why a field value cannot go on with `byte`. */
export function valueProblem(byte: number): string {
  if (byte === LF) return 'a bare LF in the header section';
  if (byte === CR) return 'a CR without LF in the header section';
  if (byte === 0) return 'a NUL byte in a field value';
  return 'a control character in a field value';
}

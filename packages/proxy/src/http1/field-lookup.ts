import { COLON, LF, TOKEN, equalsIgnoreCase, latin1, nameBytes, skipWhitespace, trimWhitespace } from './characters.js';
import { presenceBit } from './field-scanner.js';

/** Fields that frame the message or belong to one hop: the codec writes them, header edits may not. */
const OWNED_BY_CODEC: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** A field name prepared for look-ups. */
export class FieldName {
  readonly bytes: Uint8Array;
  readonly bit: number;
  /** Why a header edit must not have this name; undefined when it may. */
  readonly editProblem: string | undefined;

  /** @param lowerCase the name in lower case */
  constructor(readonly lowerCase: string) {
    this.bytes = nameBytes(lowerCase);
    this.bit = lowerCase === '' ? 0 : presenceBit(this.bytes[0], this.bytes.length);
    if (OWNED_BY_CODEC.has(lowerCase)) this.editProblem = 'frames the message or belongs to one hop';
    else if (!isToken(lowerCase)) this.editProblem = 'is not a field name';
  }
}

function isToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (TOKEN[name.charCodeAt(i)] !== 1) return false;
  return name !== '';
}

/**
 * Value of a field in a header section that has been checked before; several fields of the name are joined by `, `
 * (RFC 9110, 5.3).
 * @param start first field line
 * @param end position of the empty line
 */
export function findField(buffer: Buffer, start: number, end: number, name: FieldName): string | undefined {
  const { bytes } = name;
  const length = bytes.length;
  let found: string | undefined;
  for (let line = start; line < end;) {
    let lineEnd = line + 1;
    while (buffer[lineEnd] !== LF) lineEnd++;
    if (buffer[line + length] === COLON && equalsIgnoreCase(buffer, line, bytes)) {
      const from = skipWhitespace(buffer, line + length + 1, lineEnd - 1);
      const value = latin1(buffer, from, trimWhitespace(buffer, from, lineEnd - 1));
      found = found === undefined ? value : `${found}, ${value}`;
    }
    line = lineEnd + 1;
  }
  return found;
}

/** Calls `onLine` with the range of every line whose field is one of `names`. */
export function findLines(
  buffer: Buffer,
  start: number,
  end: number,
  names: readonly FieldName[],
  onLine: (start: number, end: number) => void,
): void {
  for (let line = start; line < end;) {
    let lineEnd = line + 1;
    while (buffer[lineEnd] !== LF) lineEnd++;
    for (const name of names) {
      if (buffer[line + name.bytes.length] === COLON && equalsIgnoreCase(buffer, line, name.bytes)) {
        onLine(line, lineEnd + 1);
        break;
      }
    }
    line = lineEnd + 1;
  }
}

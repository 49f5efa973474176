import { JsonScanner } from './json-scanner.js';
import { inSlices, type NextTurn, type Steps } from './slices.js';

/** Bytes that one step parses: about a millisecond, and far more than most answers have. */
const SLICE_BYTES = 128 * 1024;
/** Values larger than a slice within each other: more than any answer of a registry has, less than the stack bears. */
const MAX_DEPTH = 32;

const COLON = 0x3a;
const COMMA = 0x2c;
const CLOSING: Readonly<Record<number, number>> = { 0x5b: 0x5d, 0x7b: 0x7d };
const OPENING_OBJECT = 0x7b;

/**
 * Parses JSON as `JSON.parse` does, and with the same outcome; what is large in slices, between which others have their turn: an answer
 * of 10 MB takes some 100 ms in one piece. What fits into one slice takes one step.
 * @param bytes UTF-8, without a byte order mark
 * @throws SyntaxError when it is no JSON, or values of more than a slice are nested more than 32 deep
 */
export async function parseJsonInSlices(bytes: Uint8Array, turn?: NextTurn): Promise<unknown> {
  return bytes.length <= SLICE_BYTES ? parsePart(bytes, 0, bytes.length) : await inSlices(parsingJson(bytes), turn);
}

/** The same as steps. @param sliceBytes at least that much is parsed at once, and at most twice that, but for a longer text */
export function* parsingJson(bytes: Uint8Array, sliceBytes: number = SLICE_BYTES): Steps<unknown> {
  const scanner = new JsonScanner(bytes);
  scanner.skipBlanks();
  const value = yield* parseValue(scanner, sliceBytes, 0);
  scanner.skipBlanks();
  if (scanner.at < bytes.length) throw new SyntaxError('there is something behind the JSON');
  return value;
}

/** The value that begins where the scanner is; leaves it behind the value. */
function* parseValue(scanner: JsonScanner, sliceBytes: number, depth: number): Steps<unknown> {
  const opening = scanner.byte;
  const closing = opening === undefined ? undefined : CLOSING[opening];
  if (closing !== undefined) return yield* parseItems(scanner, opening === OPENING_OBJECT, closing, sliceBytes, depth);
  const { at } = scanner;
  scanner.begin(at);
  while (!scanner.untilEnd(scanner.at + sliceBytes)) yield;
  return parsePart(scanner.bytes, at, scanner.at);
}

/** The items of a list, or the members of an object, as many at once as fit into a slice; those that do not fit one by one. */
function* parseItems(
  scanner: JsonScanner,
  isObject: boolean,
  closing: number,
  sliceBytes: number,
  depth: number,
): Steps<unknown> {
  if (depth === MAX_DEPTH) throw new SyntaxError('values are nested too deep');
  const items: unknown[] = [];
  const members: Record<string, unknown> = {};
  const take = (from: number, to: number): void => {
    if (isObject) addMembers(members, parsePart(scanner.bytes, from, to, '{', '}') as object);
    else for (const item of parsePart(scanner.bytes, from, to, '[', ']') as unknown[]) items.push(item);
  };
  scanner.at++;
  scanner.skipBlanks();
  if (scanner.byte === closing) {
    scanner.at++;
    return isObject ? members : items;
  }
  // Those between these two were gone over, and not parsed.
  let from = scanner.at;
  let to = from;
  for (;;) {
    const begin = scanner.at;
    // JSON.parse takes blanks for a list without items; here they would be an item that is missing.
    if (scanner.byte === closing || scanner.byte === COMMA) throw new SyntaxError('a value is missing');
    scanner.begin(begin);
    const isSmall = scanner.untilEnd(begin + sliceBytes);
    if (isSmall) {
      if (to === from) from = begin;
      to = scanner.at;
    } else {
      if (to > from) take(from, to);
      yield;
      scanner.at = begin;
      const name = isObject ? parseName(scanner) : undefined;
      const value: unknown = yield* parseValue(scanner, sliceBytes, depth + 1);
      if (name === undefined) items.push(value);
      else setMember(members, name, value);
      scanner.skipBlanks();
      from = to = scanner.at;
    }
    const isLast = isAtEnd(scanner, closing);
    if (to > from && (isLast || to - from >= sliceBytes)) {
      take(from, to);
      from = to;
      yield;
    }
    scanner.at++;
    if (isLast) return isObject ? members : items;
    scanner.skipBlanks();
  }
}

/** @throws SyntaxError unless the value is followed by a comma or the end of what it is in */
function isAtEnd(scanner: JsonScanner, closing: number): boolean {
  if (scanner.byte === closing) return true;
  if (scanner.byte === COMMA) return false;
  throw new SyntaxError('a comma, or the end of a list or an object, was expected');
}

function parseName(scanner: JsonScanner): string {
  const { at } = scanner;
  scanner.skipText();
  const name = parsePart(scanner.bytes, at, scanner.at) as string;
  scanner.skipBlanks();
  if (scanner.byte !== COLON) throw new SyntaxError('a colon was expected');
  scanner.at++;
  scanner.skipBlanks();
  return name;
}

function addMembers(members: Record<string, unknown>, more: object): void {
  for (const [name, value] of Object.entries(more)) setMember(members, name, value);
}

/** An assignment to `__proto__` would not make a member. */
function setMember(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
  } else members[name] = value;
}

function parsePart(bytes: Uint8Array, from: number, to: number, before = '', after = ''): unknown {
  const part = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  return JSON.parse(`${before}${part.toString('utf8')}${after}`) as unknown;
}

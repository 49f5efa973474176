import { CR, HTAB, LF, SP, TOKEN, latin1 } from './http1/characters.js';

/** What the first bytes of a connection say about its protocol. */
export type DetectedProtocol = 'http1' | 'http2' | 'tls' | 'tcp';

/** `PRI * HTTP/2.0` and so on: what an HTTP/2 client sends first (RFC 9113, 3.4). */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Enough of the preface to be sure: no HTTP/1 method is called PRI. */
const PREFACE_CERTAIN = 6;
/** TLS record type "handshake" and the major version of every TLS so far (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR = 3;
/** The longest registered method is `UPDATEREDIRECTREF`; a longer first word is not HTTP. */
const MAX_METHOD_LENGTH = 24;
/** So much of a first line is awaited at most. Only CONNECT, `OPTIONS *` and odd lines are awaited at all, and those are shorter. */
const MAX_AWAITED = 512;
const VTAB = 11;
const FORM_FEED = 12;

/**
 * Looks at the first bytes of a connection. What is not HTTP is passed on as bytes, past all that looks at requests. So a request
 * that is malformed in a way that some server forgives (blanks, empty lines, a method in small letters) counts as HTTP/1 here,
 * and the strict scanner refuses it; while other text protocols (`USER x`, `INVITE sip:b SIP/2.0`) count as bytes.
 * @returns undefined when more bytes are needed to tell
 */
export function detectProtocol(bytes: Buffer): DetectedProtocol | undefined {
  const { length } = bytes;
  if (length === 0) return undefined;
  const first = bytes[0];
  if (first === TLS_HANDSHAKE) return length < 2 ? undefined : bytes[1] === TLS_MAJOR ? 'tls' : 'tcp';
  if (first === HTTP2_PREFACE[0]) {
    let same = 0;
    while (same < length && same < HTTP2_PREFACE.length && bytes[same] === HTTP2_PREFACE[same]) same++;
    if (same >= PREFACE_CERTAIN) return 'http2';
    if (same === length) return undefined;
  }
  const method = skipBlanks(bytes, 0, true);
  let i = method;
  while (i < length && i - method <= MAX_METHOD_LENGTH && TOKEN[bytes[i]] === 1) i++;
  if (i - method > MAX_METHOD_LENGTH) return 'tcp';
  // Nothing but empty lines for so long: no protocol does that, and some servers skip any number before a request.
  if (i === length) return length < MAX_AWAITED ? undefined : 'http1';
  if (i === method || bytes[i] === LF) return 'tcp';
  if (bytes[i] === CR && i + 1 === length) return undefined;
  if (bytes[i] === CR && bytes[i + 1] === LF) return 'tcp';
  const target = skipBlanks(bytes, i, false);
  if (target === i) return 'tcp';
  if (target === length) return awaited(length);
  // In binary protocols, a length that happens to be a blank may follow what happens to be a letter.
  if (bytes[target] !== LF && (bytes[target] < 0x20 || bytes[target] > 0x7e)) return 'tcp';
  return detectByTarget(bytes, method, i, target);
}

/** Bytes of the head of a frame, and the number of SETTINGS among their types (RFC 9113, 4.1 and 6.5). */
const FRAME_HEAD = 9;
const SETTINGS = 4;
const SETTING_BYTES = 6;
const MAX_SETTINGS = 100;

/**
 * True for what a server of HTTP/2 sends first, which many send before their client has said anything (RFC 9113, 3.4): a frame of SETTINGS. No
 * protocol whose server speaks first begins like that.
 */
export function isServerPreface(bytes: Buffer): boolean {
  if (bytes.length < FRAME_HEAD) return false;
  const length = bytes.readUIntBE(0, 3);
  const isLength = length % SETTING_BYTES === 0 && length <= MAX_SETTINGS * SETTING_BYTES;
  return isLength && bytes[3] === SETTINGS && bytes[4] === 0 && bytes.readUInt32BE(5) === 0;
}

/** After `METHOD `: a path or URL makes it HTTP at once, if the method is in capitals as all in use are; else the line decides. */
function detectByTarget(
  bytes: Buffer,
  method: number,
  methodEnd: number,
  target: number,
): DetectedProtocol | undefined {
  const isPath = bytes[target] === 47 || /^https?:/i.test(latin1(bytes, target, Math.min(bytes.length, target + 6)));
  if (isPath && isUpperCase(bytes, method, methodEnd)) return 'http1';
  const lineEnd = bytes.indexOf(LF, methodEnd);
  if (lineEnd >= 0) return /[\t\v\f\r ]HTTP\//i.test(latin1(bytes, methodEnd, lineEnd)) ? 'http1' : 'tcp';
  return isPath && bytes.length >= MAX_AWAITED ? 'http1' : awaited(bytes.length);
}

function awaited(length: number): DetectedProtocol | undefined {
  return length < MAX_AWAITED ? undefined : 'tcp';
}

/** Skips what one server or another takes for a space (RFC 9112, 3), and with `lines` also empty lines. */
function skipBlanks(bytes: Buffer, i: number, lines: boolean): number {
  for (; i < bytes.length; i++) {
    const byte = bytes[i];
    const isBlank = byte === SP || byte === HTAB || byte === CR || byte === VTAB || byte === FORM_FEED;
    if (!isBlank && !(lines && byte === LF)) break;
  }
  return i;
}

/** Methods in use are written in capitals; the first word of another text protocol (`get key`) often is not. */
function isUpperCase(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] >= 97 && bytes[i] <= 122) return false;
  return true;
}

import { TOKEN } from './http1/characters.js';

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

/**
 * Looks at the first bytes of a connection.
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
  // A request may be preceded by one empty line (RFC 9112, 2.2).
  let start = 0;
  if (first === 13) {
    if (length === 1) return undefined;
    if (bytes[1] !== 10) return 'tcp';
    start = 2;
  }
  let i = start;
  while (i < length && i - start <= MAX_METHOD_LENGTH && TOKEN[bytes[i]] === 1) i++;
  if (i - start > MAX_METHOD_LENGTH) return 'tcp';
  if (i === length) return isUpperCase(bytes, start, i) ? undefined : 'tcp';
  if (i === start || bytes[i] !== 0x20 || !isUpperCase(bytes, start, i)) return 'tcp';
  // `METHOD ` and then the start of a target: a path, a URL, `*` or a host.
  return i + 1 === length ? undefined : bytes[i + 1] > 0x20 && bytes[i + 1] < 0x7f ? 'http1' : 'tcp';
}

/** Methods in use are written in capitals; a line of another text protocol (`hello world`) rarely is. */
function isUpperCase(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] >= 97 && bytes[i] <= 122) return false;
  return true;
}

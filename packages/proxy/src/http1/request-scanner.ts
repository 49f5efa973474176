import { isIPv6 } from 'node:net';
import { AUTHORITY, CR, HEX, LF, SP, TARGET, TOKEN, equalsIgnoreCase, latin1, nameBytes } from './characters.js';
import { COMPLETE, FieldScanner, INCOMPLETE, WRONG_VERSION, type ScanResult } from './field-scanner.js';

const HTTP_SCHEME = nameBytes('http://');
/** ` HTTP/1.1` and CRLF. */
const VERSION_LENGTH = 11;
const SLASH = 47;
const QUESTION_MARK = 63;
const ASTERISK = 42;
const PERCENT = 37;

/** The four forms of a request target (RFC 9112, 3.2). */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

/** Scans a whole request head in place: request line, then fields. Strict, because each ambiguity is a way to smuggle a request. */
export class RequestScanner extends FieldScanner {
  /** Start of the request line: one empty line before it is skipped (RFC 9112, 2.2). */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** First field line. */
  fieldsStart = 0;
  /** 0 or 1. */
  minorVersion = 1;
  form: TargetForm = 'origin';
  /** Range of the path with query; empty for an absolute target without path, which means `/`. */
  pathStart = 0;
  /** Range of the authority: of the target, else of Host; empty when there is none. */
  authorityStart = 0;
  authorityEnd = 0;

  scanRequest(buffer: Buffer, from: number, limit: number): ScanResult {
    let i = from;
    if (i + 1 < limit && buffer[i] === CR && buffer[i + 1] === LF) i += 2;
    this.start = i;
    while (i < limit && TOKEN[buffer[i]] === 1) i++;
    if (i >= limit) return INCOMPLETE;
    if (buffer[i] === CR && i === this.start && i + 1 >= limit) return INCOMPLETE;
    if (buffer[i] !== SP || i === this.start)
      return this.malformed('a request line that does not start with a method and one space');
    this.methodEnd = i;
    this.targetStart = ++i;
    while (i < limit && TARGET[buffer[i]] === 1) i++;
    if (i >= limit) return INCOMPLETE;
    this.targetEnd = i;
    if (buffer[i] !== SP || i === this.targetStart) return this.badTarget(buffer, i);
    if (i + VERSION_LENGTH > limit) return this.versionPrefix(buffer, i, limit);
    if (
      buffer[i + 1] !== 72 || // H
      buffer[i + 2] !== 84 || // T
      buffer[i + 3] !== 84 || // T
      buffer[i + 4] !== 80 || // P
      buffer[i + 5] !== SLASH ||
      buffer[i + 7] !== 46 || // .
      buffer[i + 9] !== CR ||
      buffer[i + 10] !== LF
    ) {
      return this.badVersion(buffer, i, limit);
    }
    if (buffer[i + 6] !== 49 || (buffer[i + 8] !== 49 && buffer[i + 8] !== 48))
      return this.badVersion(buffer, i, limit);
    this.minorVersion = buffer[i + 8] - 48;
    this.fieldsStart = i + VERSION_LENGTH;
    const result = this.scan(buffer, this.fieldsStart, limit);
    return result === COMPLETE ? this.readTarget(buffer) : result;
  }

  private readTarget(buffer: Buffer): ScanResult {
    const first = buffer[this.targetStart];
    if (this.hostStart === 0) {
      if (this.minorVersion === 1) return this.malformed('no Host field in an HTTP/1.1 request');
    } else if (!isAuthority(buffer, this.hostStart, this.hostEnd)) {
      return this.malformed('a Host field that is not a host with an optional port');
    }
    if (this.minorVersion === 0 && this.chunked) return this.malformed('Transfer-Encoding in an HTTP/1.0 request');
    this.authorityStart = this.hostStart;
    this.authorityEnd = this.hostStart === 0 ? 0 : this.hostEnd;
    const isConnect = this.isMethod(buffer, 'CONNECT');
    if (isConnect) {
      if (
        !isAuthority(buffer, this.targetStart, this.targetEnd) ||
        !hasPort(buffer, this.targetStart, this.targetEnd)
      ) {
        return this.malformed('a CONNECT target that is not host:port');
      }
      // What follows the head belongs to the tunnel; a peer that read it as a body would see other messages than we do.
      if (this.chunked || this.contentLength > 0) return this.malformed('a body announced by a CONNECT request');
      this.form = 'authority';
      this.pathStart = this.targetEnd;
      this.authorityStart = this.targetStart;
      this.authorityEnd = this.targetEnd;
      return COMPLETE;
    }
    if (first === SLASH) {
      this.form = 'origin';
      this.pathStart = this.targetStart;
      return COMPLETE;
    }
    if (first === ASTERISK && this.targetEnd - this.targetStart === 1) {
      if (!this.isMethod(buffer, 'OPTIONS')) return this.malformed('the target * with a method other than OPTIONS');
      this.form = 'asterisk';
      this.pathStart = this.targetStart;
      return COMPLETE;
    }
    return this.readAbsolute(buffer);
  }

  /** `http://authority/path?query`; the authority of the target counts, and a Host field that says otherwise is an attack. */
  private readAbsolute(buffer: Buffer): ScanResult {
    const start = this.targetStart;
    if (this.targetEnd - start < HTTP_SCHEME.length || !equalsIgnoreCase(buffer, start, HTTP_SCHEME)) {
      const target = latin1(buffer, start, Math.min(this.targetEnd, start + 40));
      return this.malformed(
        /^https:/i.test(target)
          ? 'an https:// target: a proxy carries it only through CONNECT'
          : 'a request target that is neither a path nor an http:// URL',
      );
    }
    const authority = start + HTTP_SCHEME.length;
    let i = authority;
    while (i < this.targetEnd && buffer[i] !== SLASH && buffer[i] !== QUESTION_MARK) i++;
    if (i === authority || !isAuthority(buffer, authority, i))
      return this.malformed('an http:// target whose host is missing or not a host with an optional port');
    if (this.hostStart !== 0 && !sameAuthority(buffer, authority, i, this.hostStart, this.hostEnd)) {
      return this.malformed('a Host field that differs from the host of the http:// target');
    }
    this.form = 'absolute';
    this.pathStart = i;
    this.authorityStart = authority;
    this.authorityEnd = i;
    return COMPLETE;
  }

  private isMethod(buffer: Buffer, method: string): boolean {
    if (this.methodEnd - this.start !== method.length) return false;
    for (let i = 0; i < method.length; i++) if (buffer[this.start + i] !== method.charCodeAt(i)) return false;
    return true;
  }

  private badTarget(buffer: Buffer, at: number): ScanResult {
    const byte = buffer[at];
    if (byte === CR || byte === LF) return this.malformed('a request line without an HTTP version (HTTP/0.9)');
    if (byte === 0x23) return this.malformed('a fragment (#) in the request target');
    if (byte > 0x7f) return this.malformed('a request target with a byte above 127: percent-encode it');
    if (byte === SP) return this.malformed('more than one space after the method');
    return this.malformed('a control character in the request target');
  }

  /** The version is cut off by the end of the bytes: still incomplete, unless what is there can no longer become one. */
  private versionPrefix(buffer: Buffer, at: number, limit: number): ScanResult {
    const expected = ' HTTP/';
    for (let i = 0; at + i < limit && i < expected.length; i++) {
      if (buffer[at + i] !== expected.charCodeAt(i))
        return this.malformed('a request line that does not end with an HTTP version');
    }
    if (at + expected.length >= limit) return INCOMPLETE;
    const rest = latin1(buffer, at + expected.length, limit);
    if (/^\d\.\d\n/.test(rest)) return this.malformed('a bare LF at the end of the request line');
    if (!/^(?:\d(?:\.(?:\d\r?)?)?)?$/.test(rest))
      return this.malformed('a request line that does not end with an HTTP version');
    return INCOMPLETE;
  }

  private badVersion(buffer: Buffer, at: number, limit: number): ScanResult {
    const line = latin1(buffer, at, Math.min(limit, at + 24));
    if (/^ HTTP\/\d\.\d\r\n/.test(line)) {
      this.problem = `the version ${line.slice(1, 9)}; HTTP/1.1 and HTTP/1.0 are spoken here`;
      return WRONG_VERSION;
    }
    if (/^ HTTP\/\d\.\d\n/.test(line)) return this.malformed('a bare LF at the end of the request line');
    return this.malformed('a request line that does not end with an HTTP version');
  }
}

/** `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; an empty one is not accepted, since a call needs a destination. */
function isAuthority(buffer: Buffer, start: number, end: number): boolean {
  if (start === end) return false;
  let host = start;
  if (buffer[start] === 0x5b) {
    while (host < end && buffer[host] !== 0x5d) host++;
    const address = latin1(buffer, start + 1, host);
    // A zone (`%eth0`) means something on one machine only and is not sent (RFC 6874, 4).
    if (host === end || address.includes('%') || !isIPv6(address)) return false;
    host++;
  } else {
    while (host < end && buffer[host] !== 0x3a) {
      const byte = buffer[host];
      if (AUTHORITY[byte] === 0 || byte === 0x5b || byte === 0x5d) return false;
      if (byte === PERCENT && (host + 2 >= end || HEX[buffer[host + 1]] === 255 || HEX[buffer[host + 2]] === 255))
        return false;
      host++;
    }
    if (host === start) return false;
  }
  if (host === end) return true;
  if (buffer[host] !== 0x3a) return false;
  let port = 0;
  const digits = end - host - 1;
  if (digits > 5) return false;
  for (let i = host + 1; i < end; i++) {
    const digit = buffer[i] - 48;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return digits > 0 && port > 0 && port <= 65_535;
}

function hasPort(buffer: Buffer, start: number, end: number): boolean {
  for (let i = end - 1; i > start; i--) {
    if (buffer[i] === 0x3a) return true;
    if (buffer[i] === 0x5d) return false;
  }
  return false;
}

/** Compares without regard to letter case; `:80` is the default of http and may be left out on either side. */
function sameAuthority(buffer: Buffer, aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart === bEnd - bStart) {
    let i = 0;
    const length = aEnd - aStart;
    while (
      i < length &&
      (buffer[aStart + i] === buffer[bStart + i] || isSameLetter(buffer[aStart + i], buffer[bStart + i]))
    )
      i++;
    if (i === length) return true;
  }
  const a = latin1(buffer, aStart, aEnd).toLowerCase().replace(/:80$/, '');
  const b = latin1(buffer, bStart, bEnd).toLowerCase().replace(/:80$/, '');
  return a === b;
}

function isSameLetter(a: number, b: number): boolean {
  const folded = a | 0x20;
  return folded === (b | 0x20) && folded >= 97 && folded <= 122;
}

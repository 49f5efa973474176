import {
  COLON,
  CR,
  FIELD_VALUE,
  LF,
  TOKEN,
  equalsIgnoreCase,
  latin1,
  nameBytes,
  skipSpaces,
  skipWhitespace,
  trimSpaces,
  trimText,
  trimWhitespace,
} from './characters.js';
import { nameProblem, valueProblem } from './field-problems.js';
import { readKeepAliveTimeout, readLength } from './framing-values.js';

const CONNECTION = nameBytes('connection');
const KEEP_ALIVE = nameBytes('keep-alive');
const PROXY_CONNECTION = nameBytes('proxy-connection');
const PROXY_AUTHORIZATION = nameBytes('proxy-authorization');
const CONTENT_LENGTH = nameBytes('content-length');
const TRANSFER_ENCODING = nameBytes('transfer-encoding');
const TE = nameBytes('te');
const UPGRADE = nameBytes('upgrade');
const HOST = nameBytes('host');
const EXPECT = nameBytes('expect');
const HTTP2_SETTINGS = nameBytes('http2-settings');
const CHUNKED = nameBytes('chunked');
const CLOSE = nameBytes('close');

/** Result of a scan; for all but the first two, the `problem` of the scanner tells more. */
export const INCOMPLETE = 0;
export const COMPLETE = 1;
export const MALFORMED = 2;
export const TOO_MANY_FIELDS = 3;
/** A transfer coding that is syntactically fine but not forwarded. */
export const UNSUPPORTED_CODING = 4;
/** An HTTP version other than 1.0 and 1.1. */
export const WRONG_VERSION = 5;
export type ScanResult =
  | typeof INCOMPLETE
  | typeof COMPLETE
  | typeof MALFORMED
  | typeof TOO_MANY_FIELDS
  | typeof UNSUPPORTED_CODING
  | typeof WRONG_VERSION;

/** So much of what a peer sent is quoted in an error message. */
const MAX_QUOTED = 40;

/** Fields that a `Connection` field may not name: leaving them out would change the message (RFC 9110, 7.6.1). */
const NOT_CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'cookie',
]);

/**
 * Bit of a name in the presence mask; names that share a bit only cost a second look. The two cases of a letter are 32 apart and
 * so share theirs.
 */
export function presenceBit(firstByte: number, length: number): number {
  return 1 << ((firstByte + length * 5) & 31);
}

/**
 * Scans the header section of one message in place: no header object, no copies. It checks the syntax (RFC 9112, 5), keeps what
 * framing and forwarding need, and notes which lines are meant for this hop only. One scanner serves all connections of a
 * proxy, since a scan never waits.
 */
export class FieldScanner {
  /** What was wrong when the last scan was not COMPLETE or INCOMPLETE, for the error message. */
  problem = '';
  /** Position after the empty line that ends the section. */
  end = 0;
  /** -1 when there is none. */
  contentLength = -1;
  chunked = false;
  /** `Connection: close` was there. */
  close = false;
  /** `Connection: keep-alive` was there. */
  keepAlive = false;
  /** `Connection: upgrade` was there. */
  connectionUpgrade = false;
  /** Range of the value of `Upgrade`; 0 when there is none. */
  upgradeStart = 0;
  upgradeEnd = 0;
  /** Range of the value of `Host`, without surrounding whitespace; `hostStart` is 0 when there is none. */
  hostStart = 0;
  hostEnd = 0;
  expectsContinue = false;
  /** Seconds of `Keep-Alive: timeout=N`; -1 when it is not there. */
  keepAliveTimeout = -1;
  /** One bit per kind of name, see {@link presenceBit}: a field whose bit is not set is not there. */
  presence = 0;
  /** Lines for this hop only, as pairs of start and end in ascending order; `cutCount` numbers are in use. */
  readonly cuts: Int32Array;
  cutCount = 0;

  /** @param maxFields most field lines of one message */
  constructor(private readonly maxFields: number) {
    this.cuts = new Int32Array(maxFields * 2);
  }

  /** Scans from the first field line at `start`; `limit` is the end of the bytes that are there. */
  scan(buffer: Buffer, start: number, limit: number): ScanResult {
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.connectionUpgrade = false;
    this.upgradeStart = 0;
    this.hostStart = 0;
    this.expectsContinue = false;
    this.keepAliveTimeout = -1;
    this.presence = 0;
    this.cutCount = 0;
    let named: string[] | undefined;
    let i = start;
    for (let fields = 0; ; fields++) {
      if (i >= limit) return INCOMPLETE;
      if (buffer[i] === CR) {
        if (i + 1 >= limit) return INCOMPLETE;
        if (buffer[i + 1] !== LF) return this.malformed('a CR without LF in the header section');
        this.end = i + 2;
        break;
      }
      if (fields === this.maxFields) return this.tooMany();
      const line = i;
      while (i < limit && TOKEN[buffer[i]] === 1) i++;
      if (i >= limit) return INCOMPLETE;
      if (buffer[i] !== COLON || i === line) return this.malformed(nameProblem(buffer, line, i));
      const length = i - line;
      const valueStart = ++i;
      while (i < limit && FIELD_VALUE[buffer[i]] === 1) i++;
      if (i + 1 >= limit) {
        if (i < limit && buffer[i] !== CR) return this.malformed(valueProblem(buffer[i]));
        return INCOMPLETE;
      }
      if (buffer[i] !== CR || buffer[i + 1] !== LF) return this.malformed(valueProblem(buffer[i]));
      const valueEnd = i;
      i += 2;
      this.presence |= presenceBit(buffer[line], length);
      let cut = false;
      switch (length) {
        case 2:
          cut = equalsIgnoreCase(buffer, line, TE);
          break;
        case 4:
          if (equalsIgnoreCase(buffer, line, HOST)) {
            if (this.hostStart !== 0) return this.malformed('more than one Host field');
            this.hostStart = skipWhitespace(buffer, valueStart, valueEnd);
            this.hostEnd = trimWhitespace(buffer, this.hostStart, valueEnd);
          }
          break;
        case 6:
          if (equalsIgnoreCase(buffer, line, EXPECT)) {
            const value = trimText(latin1(buffer, valueStart, valueEnd)).toLowerCase();
            if (value === '100-continue') this.expectsContinue = true;
          }
          break;
        case 7:
          if (equalsIgnoreCase(buffer, line, UPGRADE)) {
            cut = true;
            this.upgradeStart = skipWhitespace(buffer, valueStart, valueEnd);
            this.upgradeEnd = trimWhitespace(buffer, this.upgradeStart, valueEnd);
          }
          break;
        case 10:
          if (equalsIgnoreCase(buffer, line, CONNECTION)) {
            cut = true;
            const s = skipWhitespace(buffer, valueStart, valueEnd);
            if (valueEnd - s === 5 && equalsIgnoreCase(buffer, s, CLOSE)) this.close = true;
            else if (valueEnd - s === 10 && equalsIgnoreCase(buffer, s, KEEP_ALIVE)) this.keepAlive = true;
            else named = this.readConnection(latin1(buffer, valueStart, valueEnd), named);
          } else if (equalsIgnoreCase(buffer, line, KEEP_ALIVE)) {
            cut = true;
            this.keepAliveTimeout = readKeepAliveTimeout(buffer, valueStart, valueEnd, this.keepAliveTimeout);
          }
          break;
        case 14:
          if (equalsIgnoreCase(buffer, line, CONTENT_LENGTH)) {
            if (this.contentLength >= 0) return this.malformed('more than one Content-Length field');
            this.contentLength = readLength(buffer, valueStart, valueEnd);
            if (this.contentLength < 0) {
              return this.malformed('a Content-Length that is not a plain number of at most 15 digits');
            }
          } else if (equalsIgnoreCase(buffer, line, HTTP2_SETTINGS)) cut = true;
          break;
        case 16:
          cut = equalsIgnoreCase(buffer, line, PROXY_CONNECTION);
          break;
        case 17:
          if (equalsIgnoreCase(buffer, line, TRANSFER_ENCODING)) {
            if (this.chunked) return this.malformed('more than one Transfer-Encoding field');
            const s = skipSpaces(buffer, valueStart, valueEnd);
            const e = trimSpaces(buffer, s, valueEnd);
            if (e - s !== 7 || !equalsIgnoreCase(buffer, s, CHUNKED)) return this.badCoding(buffer, s, e);
            this.chunked = true;
          }
          break;
        case 19:
          cut = equalsIgnoreCase(buffer, line, PROXY_AUTHORIZATION);
          break;
      }
      if (cut) {
        this.cuts[this.cutCount++] = line;
        this.cuts[this.cutCount++] = i;
      }
    }
    if (this.chunked && this.contentLength >= 0) return this.malformed('both Content-Length and Transfer-Encoding');
    return named === undefined ? COMPLETE : this.cutNamed(buffer, start, named);
  }

  protected malformed(problem: string): ScanResult {
    this.problem = problem;
    return MALFORMED;
  }

  /** True when a Connection field may name that field, one that is forwarded all the same, without making the message malformed. */
  protected toleratesNaming(_name: string): boolean {
    return false;
  }

  private tooMany(): ScanResult {
    this.problem = `more than ${this.maxFields} header fields`;
    return TOO_MANY_FIELDS;
  }

  private badCoding(buffer: Buffer, start: number, end: number): ScanResult {
    const value = latin1(buffer, start, end);
    // A final coding other than chunked leaves the length of the message unknown (RFC 9112, 6.3): never forwarded.
    if (!/^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/.test(value))
      return this.malformed('a Transfer-Encoding that is not a list of codings');
    this.problem = `the transfer coding "${value.slice(0, MAX_QUOTED)}"; only "chunked" is forwarded`;
    return UNSUPPORTED_CODING;
  }

  private readConnection(value: string, named: string[] | undefined): string[] | undefined {
    for (const part of value.split(',')) {
      const option = trimText(part).toLowerCase();
      if (option === 'close') this.close = true;
      else if (option === 'keep-alive') this.keepAlive = true;
      else if (option === 'upgrade') this.connectionUpgrade = true;
      else if (option !== '' && option !== 'te' && option !== 'http2-settings') (named ??= []).push(option);
    }
    return named;
  }

  /** Second pass, for the rare message whose Connection field names further fields: those are for this hop only, too. */
  private cutNamed(buffer: Buffer, start: number, named: readonly string[]): ScanResult {
    const names = new Set(named);
    for (const name of NOT_CONNECTION_SPECIFIC) {
      if (!names.delete(name) || this.toleratesNaming(name)) continue;
      return this.malformed(`a Connection field that names "${name}"`);
    }
    const known = this.cuts.slice(0, this.cutCount);
    let next = 0;
    this.cutCount = 0;
    for (let line = start; line < this.end - 2;) {
      const lineEnd = buffer.indexOf(LF, line) + 1;
      if (known[next] === line) {
        next += 2;
        this.cuts[this.cutCount++] = line;
        this.cuts[this.cutCount++] = lineEnd;
      } else if (names.has(latin1(buffer, line, buffer.indexOf(COLON, line)).toLowerCase())) {
        this.cuts[this.cutCount++] = line;
        this.cuts[this.cutCount++] = lineEnd;
      }
      line = lineEnd;
    }
    return COMPLETE;
  }
}

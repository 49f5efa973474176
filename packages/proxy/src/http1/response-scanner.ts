import { CR, FIELD_VALUE, LF, SP } from './characters.js';
import { COMPLETE, FieldScanner, INCOMPLETE, type ScanResult } from './field-scanner.js';

/** `HTTP/1.1 200` */
const STATUS_END = 12;

/** Scans a whole response head in place. As strict about framing as with requests: a response can be smuggled, too. */
export class ResponseScanner extends FieldScanner {
  status = 0;
  /** 0 or 1. */
  minorVersion = 1;
  fieldsStart = 0;

  scanResponse(buffer: Buffer, start: number, limit: number): ScanResult {
    if (start + STATUS_END + 1 > limit) return this.prefix(buffer, start, limit);
    let i = start + STATUS_END;
    if (
      buffer[start] !== 72 || // H
      buffer[start + 1] !== 84 ||
      buffer[start + 2] !== 84 ||
      buffer[start + 3] !== 80 ||
      buffer[start + 4] !== 47 || // /
      buffer[start + 5] !== 49 || // 1
      buffer[start + 6] !== 46 || // .
      (buffer[start + 7] !== 49 && buffer[start + 7] !== 48) ||
      buffer[start + 8] !== SP
    ) {
      return this.malformed('an answer that does not start with HTTP/1.1 or HTTP/1.0');
    }
    const a = buffer[start + 9] - 48;
    const b = buffer[start + 10] - 48;
    const c = buffer[start + 11] - 48;
    if (a < 1 || a > 9 || b < 0 || b > 9 || c < 0 || c > 9) return this.malformed('a status that is not three digits');
    this.status = a * 100 + b * 10 + c;
    this.minorVersion = buffer[start + 7] - 48;
    // The space before an empty reason phrase is often forgotten; that is harmless (RFC 9112, 4).
    if (buffer[i] !== SP && buffer[i] !== CR) return this.malformed('a status that is not three digits');
    while (i < limit && FIELD_VALUE[buffer[i]] === 1) i++;
    if (i + 1 >= limit) return INCOMPLETE;
    if (buffer[i] !== CR || buffer[i + 1] !== LF) return this.malformed('a status line with a control character');
    this.fieldsStart = i + 2;
    const result = this.scan(buffer, this.fieldsStart, limit);
    if (result !== COMPLETE) return result;
    if (this.minorVersion === 0 && this.chunked) return this.malformed('Transfer-Encoding in an HTTP/1.0 answer');
    // A server must not do so (RFC 9112, 6.1 and 6.2). Readers differ in whether they wait for such a body, and what one of
    // them takes for a body is the next answer to the other.
    if ((this.status < 200 || this.status === 204) && (this.chunked || this.contentLength > 0))
      return this.malformed(`a body announced by an answer with status ${this.status}`);
    return COMPLETE;
  }

  /**
   * Some servers write `Connection: Transfer-Encoding`, because the field is for one hop. Here it is forwarded with the chunks that it
   * announces.
   */
  protected override toleratesNaming(name: string): boolean {
    return name === 'transfer-encoding';
  }

  /** Less than a status line is there: wait, unless it can no longer become one. */
  private prefix(buffer: Buffer, start: number, limit: number): ScanResult {
    const expected = 'HTTP/1.';
    for (let i = 0; start + i < limit && i < expected.length; i++) {
      if (buffer[start + i] !== expected.charCodeAt(i))
        return this.malformed('an answer that does not start with HTTP/1.1 or HTTP/1.0');
    }
    return INCOMPLETE;
  }
}

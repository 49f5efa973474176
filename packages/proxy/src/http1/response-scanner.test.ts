import { expect } from 'chai';
import { byteByByte, bytesOf, completeAtEnd, deliveries, scanSteps } from '../testing/split-heads.js';
import { COMPLETE, INCOMPLETE, MALFORMED, UNSUPPORTED_CODING } from './field-scanner.js';
import { ResponseScanner } from './response-scanner.js';

function scanResponse(text: string): { readonly result: number; readonly scan: ResponseScanner } {
  const bytes = bytesOf(text);
  const scan = new ResponseScanner(32);
  return { result: scan.scanResponse(bytes, 0, bytes.length), scan };
}

function head(statusLine: string, ...fields: string[]): { readonly result: number; readonly scan: ResponseScanner } {
  return scanResponse(`${statusLine}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
}

function expectMalformed(text: string, problem: string): void {
  const { result, scan } = scanResponse(text);
  expect(result, JSON.stringify(text)).to.equal(MALFORMED);
  expect(scan.problem, JSON.stringify(text)).to.contain(problem);
}

const HEADS: readonly string[] = [
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.0 404\r\nContent-Length: 3\r\n\r\n',
  'HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n',
  `HTTP/1.1 503 ${'long reason '.repeat(20)}\xe4\r\n${'Set-Cookie: a=b\r\n'.repeat(9)}\r\n`,
];

describe('response scanner', () => {
  it('finds each head complete with its last byte and not before, delivered byte by byte', () => {
    for (const text of HEADS) {
      const bytes = bytesOf(text);
      const scan = new ResponseScanner(32);
      const outcome = scanSteps(scan.scanResponse.bind(scan), bytes, byteByByte(bytes.length));
      expect(outcome, text).to.deep.equal({ result: COMPLETE, at: bytes.length });
      expect(scan.end).to.equal(bytes.length);
    }
  });

  it('finds each head complete however it is cut into two or three pieces', () => {
    for (const text of HEADS) {
      const bytes = bytesOf(text);
      const scan = new ResponseScanner(32);
      for (const ends of deliveries(bytes.length, Math.ceil(bytes.length / 40))) {
        if (!completeAtEnd(scanSteps(scan.scanResponse.bind(scan), bytes, ends), bytes.length))
          expect.fail(`cut at ${ends.join(', ')}: ${JSON.stringify(text)} ${scan.problem}`);
      }
    }
  });

  it('gives status, version and framing', () => {
    expect(head('HTTP/1.1 200 OK', 'Content-Length: 5').scan).to.include({
      status: 200,
      minorVersion: 1,
      contentLength: 5,
    });
    expect(head('HTTP/1.0 301 Moved').scan).to.include({ status: 301, minorVersion: 0, contentLength: -1 });
    expect(head('HTTP/1.1 999 X', 'Transfer-Encoding: chunked').scan).to.include({ status: 999, chunked: true });
    expect(head('HTTP/1.1 100 Continue').scan).to.include({ status: 100 });
  });

  it('takes an empty reason phrase with and without the space before it', () => {
    expect(head('HTTP/1.1 200 ').result).to.equal(COMPLETE);
    expect(head('HTTP/1.1 200').result).to.equal(COMPLETE);
    expect(head('HTTP/1.1 200 \t reason \xff').result).to.equal(COMPLETE);
  });

  it('refuses what does not start with HTTP/1.0 or HTTP/1.1, as soon as it shows', () => {
    for (const start of ['X', 'HTTP/2', 'http/1.1', 'HTTP/0', 'HTTPS', '\r', '\n', ' HTTP', 'ICY 200 OK', 'H\0'])
      expectMalformed(start, 'does not start with');
    for (const line of [
      'HTTP/1.2 200 OK',
      'HTTP/1.a 200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1  200 OK',
      'HTTP/1.10 200 OK',
      'ICY 200 OK ........',
    ])
      expect(head(line).result, line).to.equal(MALFORMED);
    for (const start of ['', 'H', 'HTTP/1.', 'HTTP/1.1 2', 'HTTP/1.1 200'])
      expect(scanResponse(start).result, start).to.equal(INCOMPLETE);
  });

  it('refuses a status that is not three digits from 100', () => {
    for (const status of ['20', '2000', '099', '000', '2x0', '-10', '20 ', ' 200', '+20', '2OO', '200OK', '200\t'])
      expect(head(`HTTP/1.1 ${status} OK`).result, status).to.equal(MALFORMED);
  });

  it('refuses control characters in the status line, and bare CR or LF at its end', () => {
    expectMalformed('HTTP/1.1 200 O\0K\r\n\r\n', 'control character');
    expectMalformed('HTTP/1.1 200 OK\n\r\n', 'control character');
    expectMalformed('HTTP/1.1 200 OK\rX: y\r\n\r\n', 'control character');
    expectMalformed('HTTP/1.1 200 OK\r\nX: y\n\r\n', 'bare LF');
    expectMalformed('HTTP/1.1 200 OK\r\n X: y\r\n\r\n', 'obs-fold');
    expectMalformed('HTTP/1.1 200\n\r\n\r\n', 'three digits');
  });

  it('is as strict about framing as with requests', () => {
    for (const fields of [
      ['Content-Length: 1', 'Transfer-Encoding: chunked'],
      ['Content-Length: 1', 'Content-Length: 1'],
      ['Content-Length: 1, 1'],
      ['Content-Length: -1'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: '],
      ['Connection: content-length'],
    ])
      expect(head('HTTP/1.1 200 OK', ...fields).result, fields.join(' | ')).to.equal(MALFORMED);
    expect(head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked').result).to.equal(UNSUPPORTED_CODING);
    expectMalformed('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.0 answer');
  });

  it('refuses an answer that must not have a body and announces one', () => {
    for (const status of [100, 101, 103, 199, 204]) {
      expectMalformed(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`, `status ${status}`);
      expectMalformed(`HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n`, `status ${status}`);
      expect(head(`HTTP/1.1 ${status} X`, 'Content-Length: 0').result).to.equal(COMPLETE);
    }
    expect(head('HTTP/1.1 304 Not Modified', 'Content-Length: 5').result).to.equal(COMPLETE);
    expect(head('HTTP/1.1 205 Reset', 'Content-Length: 5').result).to.equal(COMPLETE);
  });

  it('tolerates a Connection field that names Transfer-Encoding, and keeps that field', () => {
    const { result, scan } = head(
      'HTTP/1.1 200 OK',
      'Connection: Transfer-Encoding, x',
      'X: 1',
      'Transfer-Encoding: chunked',
    );
    expect(result).to.equal(COMPLETE);
    expect(scan).to.include({ chunked: true, cutCount: 4 });
  });
});

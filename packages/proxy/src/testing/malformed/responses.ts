import { SMUGGLED } from './malformed-message.js';

/** One answer of an upstream that must not pass, as data. */
export interface MalformedResponse {
  readonly name: string;
  /** What the upstream sends, one char per byte; it keeps the connection open afterwards. */
  readonly bytes: string;
  /** The fault lies behind the head, so a head that came alone has been passed on before it shows. */
  readonly inBody?: true;
}

const OK = 'HTTP/1.1 200 OK\r\n';

function answer(name: string, ...lines: readonly string[]): MalformedResponse {
  return { name, bytes: `${lines.map((line) => `${line}\r\n`).join('')}\r\n` };
}

function fields(name: string, ...lines: readonly string[]): MalformedResponse {
  return { name, bytes: `${OK}${lines.map((line) => `${line}\r\n`).join('')}\r\n5\r\nabcde\r\n0\r\n\r\n` };
}

function chunks(name: string, body: string): MalformedResponse {
  return { name, bytes: `${OK}Transfer-Encoding: chunked\r\n\r\n${body}`, inBody: true };
}

const STATUS_LINES: readonly MalformedResponse[] = [
  answer('no HTTP at all', '<html>', '<body>hello</body>'),
  answer('HTTP/2 in a status line', 'HTTP/2 200 OK', 'Content-Length: 0'),
  answer('version 1.2', 'HTTP/1.2 200 OK', 'Content-Length: 0'),
  answer('version in small letters', 'http/1.1 200 OK', 'Content-Length: 0'),
  answer('ICY', 'ICY 200 OK', 'Content-Length: 0'),
  answer('status of two digits', 'HTTP/1.1 20 OK', 'Content-Length: 0'),
  answer('status of four digits', 'HTTP/1.1 2000 OK', 'Content-Length: 0'),
  answer('status below 100', 'HTTP/1.1 099 OK', 'Content-Length: 0'),
  answer('status that is no number', 'HTTP/1.1 2xx OK', 'Content-Length: 0'),
  answer('status with a sign', 'HTTP/1.1 +20 OK', 'Content-Length: 0'),
  answer('no status', 'HTTP/1.1 OK', 'Content-Length: 0'),
  answer('no space after the version', 'HTTP/1.1200 OK', 'Content-Length: 0'),
  answer('two spaces after the version', 'HTTP/1.1  200 OK', 'Content-Length: 0'),
  answer('no space after the status', 'HTTP/1.1 200OK', 'Content-Length: 0'),
  answer('NUL in the reason', 'HTTP/1.1 200 O\0K', 'Content-Length: 0'),
  answer('bare CR in the reason', 'HTTP/1.1 200 O\rK', 'Content-Length: 0'),
  answer('space before the status line', ' HTTP/1.1 200 OK', 'Content-Length: 0'),
  answer('empty line before the status line', '', 'HTTP/1.1 200 OK', 'Content-Length: 0'),
  { name: 'status line ended by a bare LF', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n' },
  answer(
    'status 101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: websocket',
  ),
];

const FRAMING: readonly MalformedResponse[] = [
  fields('both lengths', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  fields('both lengths the other way round', 'Transfer-Encoding: chunked', 'Content-Length: 15'),
  fields('two equal Content-Length fields', 'Content-Length: 5', 'Content-Length: 5'),
  fields('two different Content-Length fields', 'Content-Length: 5', 'Content-Length: 15'),
  fields('Content-Length as a list', 'Content-Length: 5, 5'),
  fields('Content-Length that is negative', 'Content-Length: -5'),
  fields('Content-Length with a sign', 'Content-Length: +5'),
  fields('Content-Length in hexadecimal', 'Content-Length: 0x5'),
  fields('Content-Length without a value', 'Content-Length:'),
  fields('Content-Length that is huge', 'Content-Length: 99999999999999999999'),
  fields('another coding', 'Transfer-Encoding: gzip'),
  fields('another coding before chunked', 'Transfer-Encoding: gzip, chunked'),
  fields('another coding after chunked', 'Transfer-Encoding: chunked, identity'),
  fields('chunked in two fields', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  fields('xchunked', 'Transfer-Encoding: xchunked'),
  fields('an empty coding', 'Transfer-Encoding:'),
  fields('chunked behind a vertical tab', 'Transfer-Encoding: \x0bchunked'),
  fields('space before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked'),
  fields('Connection that names Content-Length', 'Content-Length: 5', 'Connection: content-length'),
  answer('chunked in HTTP/1.0', 'HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'),
  answer('status 204 with a length', 'HTTP/1.1 204 No Content', 'Content-Length: 5'),
  answer('status 204 with chunks', 'HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked'),
  answer('status 103 with a length', 'HTTP/1.1 103 Early Hints', 'Content-Length: 5'),
];

const FIELDS: readonly MalformedResponse[] = [
  fields('bare LF at the end of a field', 'Content-Length: 5\nX: y'),
  fields('bare CR at the end of a field', 'X: y\rContent-Length: 5'),
  fields('NUL in a value', 'X: a\0b', 'Content-Length: 5'),
  fields('escape in a value', 'X: a\x1bb', 'Content-Length: 5'),
  fields('folded line', 'X: a', ' b', 'Content-Length: 5'),
  fields('space before the colon', 'X : a', 'Content-Length: 5'),
  fields('empty name', ': a', 'Content-Length: 5'),
  fields('no colon', 'X', 'Content-Length: 5'),
  fields('a name with a space', 'X Y: a', 'Content-Length: 5'),
  { name: 'empty line of a bare LF', bytes: `${OK}Content-Length: 5\r\n\nabcde` },
  fields('too many fields', ...Array.from({ length: 200 }, (_, i) => `X-${i}: y`)),
  { name: 'a head without an end', bytes: `${OK}X: ${'y'.repeat(70_000)}` },
  { name: 'interim answers without an end', bytes: 'HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n'.repeat(400) },
];

const CHUNKS: readonly MalformedResponse[] = [
  chunks('chunk size that is empty', '\r\nabcde'),
  chunks('chunk size that is no number', 'xyz\r\nabcde\r\n0\r\n\r\n'),
  chunks('chunk size with 0x', '0x5\r\nabcde\r\n0\r\n\r\n'),
  chunks('chunk size that is negative', '-5\r\nabcde\r\n0\r\n\r\n'),
  chunks('chunk size that overflows', 'fffffffffffffffff5\r\nabcde\r\n0\r\n\r\n'),
  chunks('chunk size before a space', '5 \r\nabcde\r\n0\r\n\r\n'),
  chunks('bare LF after the chunk size', '5\nabcde\r\n0\r\n\r\n'),
  chunks('bare LF after the chunk data', '5\r\nabcde\n0\r\n\r\n'),
  chunks('chunk data longer than its size', '5\r\nabcdef\r\n0\r\n\r\n'),
  chunks('chunk data shorter than its size', '5\r\nabcd\r\n0\r\n\r\n'),
  chunks('extension with a bare LF', '5;a\nabcde\r\n0\r\n\r\n'),
  chunks('extension without an end', `5;${'a'.repeat(5000)}`),
  chunks('second chunk without a size', '5\r\nabcde\r\n\r\nabcde'),
  chunks('trailer without a colon', '5\r\nabcde\r\n0\r\nX\r\n\r\n'),
  chunks('trailer Content-Length', '5\r\nabcde\r\n0\r\nContent-Length: 3\r\n\r\n'),
  chunks('trailer Set-Cookie', '5\r\nabcde\r\n0\r\nSet-Cookie: a=b\r\n\r\n'),
  chunks('trailers that are an answer', `5\r\nabcde\r\n0\r\n${OK}\r\n`),
  chunks('trailers that are a request', `0\r\n${SMUGGLED}`),
  chunks('bare LF at the end', '5\r\nabcde\r\n0\r\n\n'),
];

/** Answers that must become a 502, or be broken off when a part of them has been passed on. */
export const MALFORMED_RESPONSES: readonly MalformedResponse[] = [...STATUS_LINES, ...FRAMING, ...FIELDS, ...CHUNKS];

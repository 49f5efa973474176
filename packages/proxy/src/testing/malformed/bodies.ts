import { SMUGGLED, bad, head, type MalformedRequest } from './malformed-message.js';

/** A chunked POST whose body breaks the framing. */
function chunks(name: string, body: string): MalformedRequest {
  return bad(name, head('POST /a HTTP/1.1', ['Host: a', 'Transfer-Encoding: chunked'], body), { inBody: true });
}

const SIZES: readonly MalformedRequest[] = [
  chunks('chunk size that is empty', `\r\n\r\n${SMUGGLED}`),
  chunks('chunk size of 17 digits', `10000000000000005\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size that overflows 64 bits to 5', `fffffffffffffffff5\r\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('chunk size that is huge', 'fffffffffffffff\r\nabc'),
  chunks('chunk size of many leading zeros', '00000000000000005\r\nabcde\r\n0\r\n\r\n'),
  chunks('chunk size that is negative', `-1\r\nabc\r\n0\r\n\r\n`),
  chunks('chunk size with a plus sign', `+5\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size with 0x', `0x5\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size behind a space', ` 5\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size before a space', `5 \r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size before a tab', `5\t\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size that is no hexadecimal number', `5g\r\nabcde\r\n0\r\n\r\n`),
  chunks('chunk size with an underscore', `1_0\r\n0123456789abcdef\r\n0\r\n\r\n`),
  chunks('chunk size with a NUL', `5\0\r\nabcde\r\n0\r\n\r\n`),
];

const LINES: readonly MalformedRequest[] = [
  chunks('bare LF after the chunk size', `5\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('bare CR after the chunk size', `5\rabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('bare LF after the chunk data', `5\r\nabcde\n0\r\n\r\n${SMUGGLED}`),
  chunks('bare CR after the chunk data', `5\r\nabcde\r0\r\n\r\n${SMUGGLED}`),
  chunks('nothing after the chunk data', `5\r\nabcde0\r\n\r\n${SMUGGLED}`),
  chunks('two other bytes after the chunk data', `5\r\nabcdeXX0\r\n\r\n${SMUGGLED}`),
  chunks('chunk data that is longer than its size', `5\r\nabcdef\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('chunk data that is shorter than its size', `5\r\nabcd\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('bare LF after the last chunk', `0\n\r\n${SMUGGLED}`),
  chunks('bare LF at the end of the body', `0\r\n\n${SMUGGLED}`),
  chunks('bare CR at the end of the body', `0\r\n\rX${SMUGGLED}`),
  chunks('extension with a bare LF', `5;a\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with a bare CR', `5;a\rabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with a bare LF in quotes', `5;a="\n"\r\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with CR LF in quotes', `2;a="\r\nxx"\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with a control character', `5;a\x01\r\nabcde\r\n0\r\n\r\n`),
  chunks('extension with a NUL', `5;\0\r\nabcde\r\n0\r\n\r\n`),
  chunks('extension with an open quote', `5;a="b\r\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with an escaped line end', `5;a="\\\r\nabcde\r\n0\r\n\r\n${SMUGGLED}`),
  chunks('extension with a blank', `5; a\r\nabcde\r\n0\r\n\r\n`),
  chunks('extension without an end', `5;${'a'.repeat(5000)}\r\nabcde\r\n0\r\n\r\n`),
];

const TRAILERS: readonly MalformedRequest[] = [
  chunks('trailer with a space before the colon', `0\r\nX : y\r\n\r\n`),
  chunks('trailer without a colon', `0\r\nX\r\n\r\n`),
  chunks('trailer without a name', `0\r\n: y\r\n\r\n`),
  chunks('trailer with a space in its name', `0\r\nX Y: z\r\n\r\n`),
  chunks('trailer that is folded', `0\r\nX: y\r\n z\r\n\r\n`),
  chunks('trailer with a bare LF', `0\r\nX: y\n\r\n${SMUGGLED}`),
  chunks('trailer with a bare CR', `0\r\nX: y\rZ: w\r\n\r\n`),
  chunks('trailer with a NUL', `0\r\nX: \0\r\n\r\n`),
  chunks('trailer that is a request line', `0\r\n${SMUGGLED}`),
  chunks('trailer Content-Length', `0\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`),
  chunks('trailer Transfer-Encoding', `0\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`),
  chunks('trailer Connection', `0\r\nConnection: close\r\n\r\n`),
  chunks('trailer Proxy-Connection', `0\r\nProxy-Connection: close\r\n\r\n`),
  chunks('trailer Host', `0\r\nHost: b\r\n\r\n`),
  chunks('trailer Authorization', `0\r\nAuthorization: Basic eA==\r\n\r\n`),
  chunks('trailers without an end', `0\r\n${'X: y\r\n'.repeat(4000)}\r\n`),
];

/** The first request is fine and forwarded; the one behind it is not. */
const PIPELINED: readonly MalformedRequest[] = [
  bad(
    'a request with a bare LF behind a valid one',
    `${head('GET /first HTTP/1.1', ['Host: a'])}GET /second HTTP/1.1\nHost: a\r\n\r\n`,
    { validBefore: 1 },
  ),
  bad(
    'a request with both lengths behind a valid one',
    `${head('GET /first HTTP/1.1', ['Host: a'])}${head('POST /second HTTP/1.1', ['Host: a', 'Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n')}`,
    { validBefore: 1 },
  ),
  bad(
    'bytes behind a body of known length',
    `${head('POST /first HTTP/1.1', ['Host: a', 'Content-Length: 5'], 'abcde')}xyz\r\n\r\n`,
    { validBefore: 1 },
  ),
  bad(
    'bytes behind a chunked body',
    `${head('POST /first HTTP/1.1', ['Host: a', 'Transfer-Encoding: chunked'], '5\r\nabcde\r\n0\r\n\r\n')}\x01\x02\r\n\r\n`,
    { validBefore: 1 },
  ),
  bad(
    'a second request without Host behind two valid ones',
    `${head('GET /first HTTP/1.1', ['Host: a'])}\r\n${head('GET /first HTTP/1.1', ['Host: a'])}${head('GET /third HTTP/1.1', [])}`,
    { validBefore: 2 },
  ),
  {
    name: 'the preface of HTTP/2 behind a valid request',
    bytes: `${head('GET /first HTTP/1.1', ['Host: a'])}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    statuses: [400, 505],
    validBefore: 1,
  },
  {
    name: 'a TLS handshake behind a valid request',
    bytes: `${head('GET /first HTTP/1.1', ['Host: a'])}\x16\x03\x01\x02\0\x01`,
    statuses: [400],
    validBefore: 1,
  },
];

export const MALFORMED_BODIES: readonly MalformedRequest[] = [...SIZES, ...LINES, ...TRAILERS, ...PIPELINED];

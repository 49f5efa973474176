import { bad, head, type MalformedRequest } from './malformed-message.js';

function closed(name: string, bytes: string): MalformedRequest {
  return { name, bytes, statuses: [] };
}

/** Bytes that are not HTTP/1 on a port for it: nobody says where they go, so the connection is closed. */
const NOT_HTTP: readonly MalformedRequest[] = [
  closed('a TLS ClientHello', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'),
  closed('an SSLv2 hello', '\x80\x2e\x01\x03\x01'),
  closed('SOCKS5', '\x05\x01\x00'),
  closed('NUL bytes', '\0\0\0\0'),
  closed('a Redis command', '*1\r\n$4\r\nPING\r\n'),
  closed('a SIP request', 'INVITE sip:a@b SIP/2.0\r\n\r\n'),
  closed('a word that is too long for a method', `${'A'.repeat(30)} / HTTP/1.1\r\nHost: a\r\n\r\n`),
  closed('a PROXY protocol line', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'),
];

/** Heads beyond the limits, which are lowered here to keep the cases small. */
const LIMITS: readonly MalformedRequest[] = [
  {
    name: 'more fields than allowed',
    bytes: head('GET / HTTP/1.1', ['Host: a', ...Array.from({ length: 8 }, (_, i) => `X-${i}: y`)]),
    statuses: [431],
    options: { maxHeaderFields: 8 },
  },
  {
    name: 'a head that is larger than allowed',
    bytes: head('GET / HTTP/1.1', ['Host: a', `X: ${'y'.repeat(1024)}`]),
    statuses: [431],
    options: { maxHeadBytes: 1024 },
  },
  {
    name: 'a head without an end that is larger than allowed',
    bytes: `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(1024)}`,
    statuses: [431],
    options: { maxHeadBytes: 1024 },
  },
  {
    name: 'a request line that is longer than allowed',
    bytes: `GET /${'x'.repeat(1100)}`,
    statuses: [414],
    options: { maxHeadBytes: 1024 },
  },
  bad('a request line of nothing but empty lines', '\r\n'.repeat(400)),
];

export const FOREIGN_AND_TOO_LARGE: readonly MalformedRequest[] = [...NOT_HTTP, ...LIMITS];

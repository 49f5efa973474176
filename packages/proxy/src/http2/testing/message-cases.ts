import { ErrorCode } from '../error-codes.js';
import { ALL, END, GET, POST, PSEUDO, data, get, headers, post, times, type ServerCase } from './server-case.js';

const { protocolError } = ErrorCode;
const { METHOD, SCHEME, PATH, AUTHORITY } = PSEUDO;

function malformed(name: string, ...frames: readonly Buffer[]): ServerCase {
  return { name, frames, reset: protocolError, counted: 'malformed-message' };
}

/** Messages (RFC 9113, 8): what is malformed ends its stream and nothing else. */
export const MESSAGE_CASES: readonly ServerCase[] = [
  malformed('a name with a capital letter', get(1, ['X-A', 'b'])),
  malformed('a pseudo-header field behind others', headers(1, END | ALL, ['a', 'b'], ...GET)),
  malformed('an unknown pseudo-header field', get(1, [':x', 'b'])),
  malformed('a :status', get(1, [':status', '200'])),
  malformed('two paths', get(1, [':path', '/b'])),
  malformed('no :path', headers(1, END | ALL, METHOD, SCHEME, AUTHORITY)),
  malformed('no :method', headers(1, END | ALL, SCHEME, PATH, AUTHORITY)),
  malformed('no :scheme', headers(1, END | ALL, METHOD, PATH, AUTHORITY)),
  malformed('an empty :path', headers(1, END | ALL, METHOD, SCHEME, [':path', ''], AUTHORITY)),
  malformed('a connection field', get(1, ['connection', 'close'])),
  malformed('te: gzip', get(1, ['te', 'gzip'])),
  malformed('transfer-encoding', get(1, ['transfer-encoding', 'chunked'])),
  malformed('CR in a value', get(1, ['a', 'b\rc'])),
  malformed('NUL in a value', get(1, ['a', 'b\0c'])),
  malformed('LF in :path', headers(1, END | ALL, METHOD, SCHEME, [':path', '/\nx'], AUTHORITY)),
  malformed('a blank in :path', headers(1, END | ALL, METHOD, SCHEME, [':path', '/ HTTP/1.1'], AUTHORITY)),
  malformed('a host other than :authority', get(1, ['host', 'y'])),
  malformed('two lengths', get(1, ['content-length', '0'], ['content-length', '1'])),
  malformed('more DATA than its length', post(1, ['content-length', '3']), data(1, 'hello')),
  malformed('less DATA than its length', post(1, ['content-length', '9']), data(1, 'hello')),
  malformed('trailers before all of the length', post(1, ['content-length', '9']), headers(1, END | ALL, ['a', 'b'])),
  malformed('a pseudo-header field in trailers', post(1), data(1, 'a', 0), headers(1, END | ALL, METHOD)),
  malformed('trailers that do not end the stream', post(1), headers(1, ALL, ['a', 'b'])),
  malformed('a :protocol without CONNECT', get(1, [':protocol', 'websocket'])),
  { name: 'as much DATA as its length', frames: [post(1, ['content-length', '5']), data(1, 'hello')], answered: [1] },
  { name: 'te: trailers', frames: [get(1, ['te', 'trailers'])], answered: [1] },
  { name: 'trailers', frames: [post(1), data(1, 'a', 0), headers(1, END | ALL, ['a', 'b'])], answered: [1] },
  {
    name: 'an extended CONNECT',
    frames: [headers(1, END | ALL, [':method', 'CONNECT'], SCHEME, PATH, AUTHORITY, [':protocol', 'websocket'])],
    answered: [1],
  },
  { name: 'a malformed message beside a good one', frames: [headers(1, END | ALL, METHOD), get(3)], answered: [3] },
  {
    name: 'a header list beyond the limit',
    frames: [
      headers(1, END | ALL, ...POST, ...times(99, () => Buffer.alloc(0)).map(() => ['x', 'y'.repeat(100)] as const)),
      get(3),
    ],
    limits: { maxHeaderListBytes: 4096 },
    answered: [1, 3],
    counted: 'header-list',
  },
  {
    name: 'more fields than the limit',
    frames: [get(1, ...times(40, () => Buffer.alloc(0)).map(() => ['x', 'y'] as const)), get(3)],
    limits: { maxHeaderFields: 16 },
    answered: [1, 3],
    counted: 'header-list',
  },
];

import { ErrorCode } from '../error-codes.js';
import {
  ALL,
  END,
  GET,
  POST,
  data,
  get,
  headers,
  literals,
  post,
  reset,
  setting,
  times,
  windowUpdate,
} from './server-case.js';
import type { ServerCase } from './server-case.js';
import { frame, uint32 } from './wire.js';

const { protocolError, flowControlError, streamClosed, frameSizeError, compressionError, enhanceYourCalm } = ErrorCode;
const REQUEST = literals(...GET);
const PADDED = 8;
const PRIORITY = 32;

function settingPayload(id: number, value: number): Buffer {
  return setting(id, value).subarray(9);
}

function block(...bytes: readonly number[]): Buffer {
  return frame(1, END | ALL, 1, Buffer.concat([REQUEST, Buffer.from(bytes)]));
}

/** Frames and the states of streams (RFC 9113, 4 to 6), header compression (RFC 7541), and what costs too much. */
export const FRAME_CASES: readonly ServerCase[] = [
  { name: 'a request', frames: [get(1)], answered: [1] },
  { name: 'a request with a body', frames: [post(1), data(1, 'hello')], answered: [1] },
  { name: 'two requests at once', frames: [post(1), get(3), data(1, 'a')], answered: [1, 3] },
  // sizes (4.2)
  { name: 'DATA beyond the frame size', frames: [post(1), data(1, Buffer.alloc(16_385), 0)], goaway: frameSizeError },
  {
    name: 'HEADERS beyond the frame size',
    frames: [frame(1, END | ALL, 1, Buffer.concat([REQUEST, Buffer.alloc(16_400)]))],
    goaway: frameSizeError,
  },
  // header compression (4.3, RFC 7541)
  {
    name: 'an integer that does not end',
    frames: [frame(1, 5, 1, [255, 255, 255, 255, 255, 255])],
    goaway: compressionError,
  },
  { name: 'index 0', frames: [frame(1, 5, 1, [0x80])], goaway: compressionError },
  { name: 'an index beyond the tables', frames: [block(0xff, 0x20)], goaway: compressionError },
  {
    name: 'a table size above the limit',
    frames: [frame(1, 5, 1, Buffer.concat([Buffer.from([0x3f, 0xe2, 0x1f]), REQUEST]))],
    goaway: compressionError,
  },
  { name: 'a table size behind the fields', frames: [block(0x20)], goaway: compressionError },
  {
    name: 'Huffman padding of more than 7 bits',
    frames: [block(0, 1, 120, 0x82, 0x1f, 0xff)],
    goaway: compressionError,
  },
  { name: 'the Huffman code of EOS', frames: [block(0, 1, 120, 0x84, 255, 255, 255, 255)], goaway: compressionError },
  {
    name: 'a block that decodes to far more than it is',
    frames: [
      frame(1, END, 1, Buffer.concat([REQUEST, Buffer.from([0x40, 1, 120, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 97)])),
      frame(9, ALL, 1, Buffer.alloc(5000, 0xbe)),
    ],
    goaway: enhanceYourCalm,
    counted: 'header-bomb',
  },
  // CONTINUATION (6.10)
  {
    name: 'PRIORITY within a header block',
    frames: [headers(1, END, ...GET), frame(2, 0, 3, [0, 0, 0, 0, 1])],
    goaway: protocolError,
  },
  {
    name: 'a header block in three frames',
    frames: [
      frame(1, END, 1, REQUEST.subarray(0, 10)),
      frame(9, 0, 1, REQUEST.subarray(10, 20)),
      frame(9, ALL, 1, REQUEST.subarray(20)),
    ],
    answered: [1],
  },
  { name: 'CONTINUATION without HEADERS', frames: [frame(9, ALL, 1, REQUEST)], goaway: protocolError },
  {
    name: 'CONTINUATION of another stream',
    frames: [frame(1, END, 1, REQUEST.subarray(0, 9)), frame(9, ALL, 3, REQUEST.subarray(9))],
    goaway: protocolError,
  },
  {
    name: 'empty CONTINUATION frames without end',
    frames: [headers(1, END, ...GET), ...times(3000, () => frame(9, 0, 1))],
    goaway: enhanceYourCalm,
    counted: 'continuation-flood',
  },
  {
    name: 'a header block of 320 KB',
    frames: [headers(1, END, ...GET), ...times(20, () => frame(9, 0, 1, Buffer.alloc(16_000)))],
    goaway: enhanceYourCalm,
    counted: 'header-block',
  },
  // states of streams (5.1)
  { name: 'DATA on an idle stream', frames: [data(1, 'x')], goaway: protocolError },
  { name: 'RST_STREAM on an idle stream', frames: [reset(1)], goaway: protocolError },
  { name: 'WINDOW_UPDATE on an idle stream', frames: [windowUpdate(1, 8)], goaway: protocolError },
  { name: 'PRIORITY on an idle stream', frames: [frame(2, 0, 5, [0, 0, 0, 0, 1]), get(1)], answered: [1] },
  {
    name: 'DATA after the end',
    frames: [post(1), post(3), data(3, 'x'), data(3, 'x')],
    check: (seen) => seen.resetOf(3) === streamClosed,
  },
  { name: 'HEADERS on a stream that was closed', frames: [get(1), get(1)], goaway: streamClosed },
  {
    name: 'frames on a stream that the client has reset',
    frames: [post(1), reset(1), windowUpdate(1, 5), reset(1), get(3)],
    answered: [3],
  },
  {
    name: 'DATA on a stream that the client has reset',
    frames: [post(1), reset(1), data(1, 'x')],
    reset: streamClosed,
  },
  { name: 'an even stream id', frames: [get(2)], goaway: protocolError },
  { name: 'a smaller stream id', frames: [get(5), get(3)], goaway: streamClosed },
  { name: 'HEADERS on stream 0', frames: [get(0)], goaway: protocolError },
  { name: 'DATA on stream 0', frames: [data(0, 'x')], goaway: protocolError },
  // padding and priority (6.1 to 6.3)
  {
    name: 'HEADERS with more padding than payload',
    frames: [frame(1, END | ALL | PADDED, 1, Buffer.concat([Buffer.from([255]), REQUEST]))],
    goaway: protocolError,
  },
  {
    name: 'DATA with more padding than payload',
    frames: [post(1), frame(0, END | PADDED, 1, [10, 1, 2])],
    goaway: protocolError,
  },
  {
    name: 'HEADERS with padding and priority',
    frames: [
      frame(
        1,
        END | ALL | PADDED | PRIORITY,
        1,
        Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 16]), REQUEST, Buffer.alloc(3)]),
      ),
    ],
    answered: [1],
  },
  { name: 'DATA with padding', frames: [post(1), frame(0, END | PADDED, 1, [2, 65, 66, 0, 0])], answered: [1] },
  {
    name: 'a stream that depends on itself',
    frames: [frame(1, END | ALL | PRIORITY, 1, Buffer.concat([uint32(1), Buffer.from([16]), REQUEST]))],
    reset: protocolError,
  },
  { name: 'PRIORITY of 3 bytes', frames: [post(1), frame(2, 0, 1, [0, 0, 0])], reset: frameSizeError },
  { name: 'RST_STREAM of 1 byte', frames: [post(1), frame(3, 0, 1, [0])], goaway: frameSizeError },
  { name: 'RST_STREAM on stream 0', frames: [reset(0)], goaway: protocolError },
  // SETTINGS (6.5)
  { name: 'SETTINGS on a stream', frames: [frame(4, 0, 1)], goaway: protocolError },
  { name: 'an acknowledgement with a payload', frames: [frame(4, 1, 0, Buffer.alloc(6))], goaway: frameSizeError },
  { name: 'SETTINGS of 3 bytes', frames: [frame(4, 0, 0, [0, 0, 0])], goaway: frameSizeError },
  { name: 'ENABLE_PUSH 2', frames: [setting(2, 2)], goaway: protocolError },
  { name: 'ENABLE_PUSH 1 of a client', frames: [setting(2, 1), get(1)], answered: [1] },
  { name: 'an initial window of 2^32-1', frames: [setting(4, 0xffff_ffff)], goaway: flowControlError },
  { name: 'a frame size of 1', frames: [setting(5, 1)], goaway: protocolError },
  { name: 'ENABLE_CONNECT_PROTOCOL taken back', frames: [setting(8, 1), setting(8, 0)], goaway: protocolError },
  { name: 'an unknown setting', frames: [setting(99, 1), get(1)], answered: [1] },
  {
    name: 'an initial window that makes an open one too large',
    frames: [post(1), windowUpdate(1, 0x7fff_0000), setting(4, 0x10_0000)],
    goaway: flowControlError,
  },
  // PING, GOAWAY, PUSH_PROMISE, unknown (6.6 to 6.8, 5.5)
  {
    name: 'PING',
    frames: [frame(6, 0, 0, Buffer.from('abcdefgh'))],
    check: (seen) => seen.of(6, 0).some(({ flags, payload }) => flags === 1 && payload.toString() === 'abcdefgh'),
  },
  { name: 'an answer to no PING', frames: [frame(6, 1, 0, Buffer.from('abcdefgh')), get(1)], answered: [1] },
  { name: 'PING of 3 bytes', frames: [frame(6, 0, 0, Buffer.from('abc'))], goaway: frameSizeError },
  { name: 'PING on a stream', frames: [frame(6, 0, 1, Buffer.alloc(8))], goaway: protocolError },
  { name: 'GOAWAY on a stream', frames: [frame(7, 0, 1, Buffer.alloc(8))], goaway: protocolError },
  { name: 'GOAWAY of 4 bytes', frames: [frame(7, 0, 0, Buffer.alloc(4))], goaway: frameSizeError },
  { name: 'PUSH_PROMISE of a client', frames: [frame(5, ALL, 1, REQUEST)], goaway: protocolError },
  { name: 'an unknown frame', frames: [frame(0xbb, 0, 0, Buffer.from('x')), get(1)], answered: [1] },
  // windows (6.9)
  { name: 'WINDOW_UPDATE of 0 for the connection', frames: [windowUpdate(0, 0)], goaway: protocolError },
  { name: 'WINDOW_UPDATE of 0 for a stream', frames: [post(1), windowUpdate(1, 0)], reset: protocolError },
  {
    name: 'a connection window beyond 2^31-1',
    frames: times(2, () => windowUpdate(0, 0x7fff_ffff)),
    goaway: flowControlError,
  },
  { name: 'a stream window beyond 2^31-1', frames: [post(1), windowUpdate(1, 0x7fff_ffff)], reset: flowControlError },
  { name: 'WINDOW_UPDATE of 1 byte', frames: [frame(8, 0, 0, [0])], goaway: frameSizeError },
  {
    name: 'a window of 1 byte',
    frames: [setting(4, 1), get(1)],
    check: (seen) => seen.dataOf(1).join() === '1' && !seen.isEnded(1),
  },
  {
    name: 'a window of 0 that is opened',
    frames: [setting(4, 0), get(1), windowUpdate(1, 1000)],
    check: (seen) => seen.dataOf(1).join() === '128' && seen.isEnded(1),
  },
  {
    name: 'a window of 0 that SETTINGS open',
    frames: [setting(4, 0), get(1), setting(4, 256)],
    check: (seen) => seen.dataOf(1).join() === '128' && seen.isEnded(1),
  },
  {
    name: 'a window that SETTINGS make negative, and that is opened again',
    frames: [setting(4, 100), get(1), setting(4, 10), windowUpdate(1, 90), windowUpdate(1, 28)],
    check: (seen) => seen.dataOf(1).join() === '100,28' && seen.isEnded(1),
  },
  {
    name: 'more DATA than the window of the stream',
    frames: [post(1), ...times(6, () => data(1, Buffer.alloc(16_384), 0))],
    limits: { streamWindow: 65_536 },
    holds: true,
    reset: flowControlError,
    counted: 'flow-control',
  },
  {
    name: 'more DATA than the window of the connection',
    frames: [post(1), data(1, Buffer.alloc(16_384), 0), ...times(4, () => data(1, Buffer.alloc(16_384), 0))],
    limits: { connectionWindow: 16_384 },
    goaway: flowControlError,
  },
  // what costs too much
  {
    name: 'SETTINGS without end',
    frames: times(12_000, () => frame(4, 0, 0)),
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'PING without end',
    frames: times(12_000, () => frame(6, 0, 0, Buffer.alloc(8))),
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'PRIORITY without end',
    frames: times(12_000, () => frame(2, 0, 7, [0, 0, 0, 0, 1])),
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'unknown frames without end',
    frames: times(12_000, () => frame(0xbb, 0, 0)),
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'RST_STREAM of a closed stream without end',
    frames: [get(1), ...times(12_000, () => reset(1))],
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'settings without end in few frames',
    frames: times(5, () => frame(4, 0, 0, Buffer.concat(times(2500, (i) => settingPayload(4, i))))),
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'empty DATA that ends a closed stream without end',
    frames: [get(1), ...times(12_000, () => data(1, ''))],
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'empty DATA that ends a stream that we have reset without end',
    frames: [post(1), windowUpdate(1, 0), ...times(12_000, () => data(1, ''))],
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'HEADERS on a stream that we have reset without end',
    frames: [post(1), windowUpdate(1, 0), ...times(12_000, () => get(1))],
    goaway: enhanceYourCalm,
    counted: 'control-flood',
  },
  {
    name: 'empty DATA without end',
    frames: [post(1), ...times(1100, () => data(1, '', 0))],
    goaway: enhanceYourCalm,
    counted: 'empty-data-flood',
  },
  {
    name: 'DATA of nothing but padding without end',
    frames: [post(1), ...times(1100, () => frame(0, PADDED, 1, [2, 0, 0]))],
    goaway: enhanceYourCalm,
    counted: 'empty-data-flood',
  },
  {
    name: 'window updates of a byte without end',
    frames: times(1100, () => windowUpdate(0, 1)),
    limits: { maxWindowUpdates: 1000 },
    goaway: enhanceYourCalm,
    counted: 'window-update-flood',
  },
  {
    name: 'calls that are reset at once (rapid reset)',
    frames: times(600, (i) => Buffer.concat([headers(1 + 2 * i, ALL, ...POST), reset(1 + 2 * i)])),
    goaway: enhanceYourCalm,
    counted: 'reset-flood',
  },
  {
    name: 'calls that we are made to reset (CVE-2025-8671)',
    frames: times(600, (i) => Buffer.concat([headers(1 + 2 * i, ALL, ...POST), windowUpdate(1 + 2 * i, 0)])),
    goaway: enhanceYourCalm,
    counted: 'reset-flood',
  },
  {
    name: 'calls that are cancelled among more that are not',
    frames: [
      windowUpdate(0, 1_000_000),
      ...times(1800, (i) => (i % 3 === 0 ? Buffer.concat([post(1 + 2 * i), reset(1 + 2 * i)]) : get(1 + 2 * i))),
    ],
    check: (seen) => seen.goaways.length === 0 && seen.isAnswered(3599),
  },
  {
    name: 'more calls at once than allowed',
    frames: times(300, (i) => post(1 + 2 * i)),
    check: (seen) =>
      seen.goaways.length === 0 && seen.resetOf(511) === undefined && seen.resetOf(513) === ErrorCode.refusedStream,
    counted: 'concurrent-streams',
  },
  {
    name: 'more calls than allowed, again and again',
    frames: times(2000, (i) => post(1 + 2 * i)),
    goaway: enhanceYourCalm,
    counted: 'reset-flood',
  },
];

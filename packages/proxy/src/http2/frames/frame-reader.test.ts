import { expect } from 'chai';
import { ErrorCode } from '../error-codes.js';
import { EMPTY_SETTINGS, frame, readFrames, uint32 } from '../testing/wire.js';
import { CLIENT_PREFACE } from './frame-format.js';

const BLOCK = Buffer.from('828684', 'hex');

function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, id]), uint32(value)]);
}

function selfDependency(streamId: number): Buffer {
  return Buffer.concat([uint32(streamId), Buffer.from([15])]);
}

/** Frames after SETTINGS, and the code with which the connection ends. */
const CONNECTION_ERRORS: Readonly<Record<string, readonly [code: number, ...frames: Buffer[]]>> = {
  'a frame above the maximum': [ErrorCode.frameSizeError, frame(0, 0, 1, Buffer.alloc(16_385))],
  'a frame of an unknown type above the maximum': [ErrorCode.frameSizeError, frame(99, 0, 1, Buffer.alloc(16_385))],
  'DATA on stream 0': [ErrorCode.protocolError, frame(0, 0, 0, [1])],
  'DATA whose padding is its whole payload': [ErrorCode.protocolError, frame(0, 8, 1, [3, 0, 0])],
  'padded DATA without a payload': [ErrorCode.frameSizeError, frame(0, 8, 1)],
  'HEADERS on stream 0': [ErrorCode.protocolError, frame(1, 5, 0, BLOCK)],
  'HEADERS with more padding than payload': [ErrorCode.protocolError, frame(1, 13, 1, [9, ...BLOCK])],
  'padded HEADERS without a payload': [ErrorCode.frameSizeError, frame(1, 13, 1)],
  'HEADERS too short for their priority': [ErrorCode.frameSizeError, frame(1, 0x25, 1, [0, 0])],
  'PRIORITY on stream 0': [ErrorCode.protocolError, frame(2, 0, 0, [0, 0, 0, 0, 1])],
  'RST_STREAM on stream 0': [ErrorCode.protocolError, frame(3, 0, 0, uint32(8))],
  'RST_STREAM of a wrong length': [ErrorCode.frameSizeError, frame(3, 0, 1, [0, 0, 0])],
  'SETTINGS on a stream': [ErrorCode.protocolError, frame(4, 0, 1)],
  'an acknowledgement of SETTINGS with a payload': [ErrorCode.frameSizeError, frame(4, 1, 0, setting(3, 1))],
  'SETTINGS of a wrong length': [ErrorCode.frameSizeError, frame(4, 0, 0, [0, 3, 0])],
  'ENABLE_PUSH of 2': [ErrorCode.protocolError, frame(4, 0, 0, setting(2, 2))],
  'an initial window of 2^31': [ErrorCode.flowControlError, frame(4, 0, 0, setting(4, 2 ** 31))],
  'a frame size below 16384': [ErrorCode.protocolError, frame(4, 0, 0, setting(5, 16_383))],
  'a frame size of 2^24': [ErrorCode.protocolError, frame(4, 0, 0, setting(5, 2 ** 24))],
  'ENABLE_CONNECT_PROTOCOL of 2': [ErrorCode.protocolError, frame(4, 0, 0, setting(8, 2))],
  PUSH_PROMISE: [ErrorCode.protocolError, frame(5, 4, 1, [0, 0, 0, 2, ...BLOCK])],
  'PING on a stream': [ErrorCode.protocolError, frame(6, 0, 1, Buffer.alloc(8))],
  'PING of a wrong length': [ErrorCode.frameSizeError, frame(6, 0, 0, Buffer.alloc(7))],
  'GOAWAY on a stream': [ErrorCode.protocolError, frame(7, 0, 1, Buffer.alloc(8))],
  'GOAWAY that is too short': [ErrorCode.frameSizeError, frame(7, 0, 0, Buffer.alloc(7))],
  'WINDOW_UPDATE of 0 for the connection': [ErrorCode.protocolError, frame(8, 0, 0, uint32(0))],
  'WINDOW_UPDATE of a wrong length': [ErrorCode.frameSizeError, frame(8, 0, 0, [0])],
  'CONTINUATION without HEADERS': [ErrorCode.protocolError, frame(9, 4, 1, BLOCK)],
  'CONTINUATION after a complete block': [ErrorCode.protocolError, frame(1, 4, 1, BLOCK), frame(9, 4, 1, BLOCK)],
  'CONTINUATION of another stream': [ErrorCode.protocolError, frame(1, 0, 1, BLOCK), frame(9, 4, 3, BLOCK)],
  'DATA within a header block': [ErrorCode.protocolError, frame(1, 0, 1, BLOCK), frame(0, 0, 1, [1])],
  'PING within a header block': [ErrorCode.protocolError, frame(1, 0, 1, BLOCK), frame(6, 0, 0, Buffer.alloc(8))],
  'an unknown frame within a header block': [ErrorCode.protocolError, frame(1, 0, 1, BLOCK), frame(99, 0, 1)],
  'empty CONTINUATION without end': [
    ErrorCode.enhanceYourCalm,
    frame(1, 0, 1, BLOCK),
    ...Array.from({ length: 17 }, () => frame(9, 0, 1)),
  ],
  'CONTINUATION with too many bytes': [
    ErrorCode.enhanceYourCalm,
    ...Array.from({ length: 5 }, (_, i) => frame(i === 0 ? 1 : 9, 0, 1, Buffer.alloc(16_000))),
  ],
};

const EVENTS: Readonly<Record<string, readonly [bytes: Buffer, ...events: string[]]>> = {
  'DATA with padding': [frame(0, 9, 1, [2, 65, 66, 0, 0]), 'data 1 5 padding 3 end', 'payload 4142'],
  'DATA that is padding only': [frame(0, 8, 1, [2, 0, 0]), 'data 1 3 padding 3', 'payload '],
  'empty DATA': [frame(0, 1, 1), 'data 1 0 padding 0 end', 'payload '],
  'HEADERS with padding and priority': [frame(1, 0x2d, 3, [2, 0, 0, 0, 0, 15, ...BLOCK, 0, 0]), 'headers 3 828684 end'],
  'HEADERS that depend on themselves': [
    frame(1, 0x25, 3, [...selfDependency(3), ...BLOCK]),
    'headers 3 828684 end self',
  ],
  'HEADERS with CONTINUATION': [
    Buffer.concat([frame(1, 1, 3, BLOCK.subarray(0, 1)), frame(9, 0, 3), frame(9, 4, 3, BLOCK.subarray(1))]),
    'headers 3 828684 end',
  ],
  'a reserved bit before the stream id': [frame(3, 0, 0x8000_0005, uint32(8)), 'reset 5 8'],
  'a reserved bit before an increment': [frame(8, 0, 0, uint32(0x8000_0001)), 'window 0 1'],
  'unknown flags': [frame(6, 0xfe, 0, Buffer.alloc(8, 1)), 'ping 0101010101010101'],
  'the answer to a PING': [frame(6, 1, 0, Buffer.alloc(8, 1)), 'ping 0101010101010101 answer'],
  'SETTINGS, unknown ones left out': [
    frame(4, 0, 0, Buffer.concat([setting(99, 7), setting(3, 2 ** 32 - 1)])),
    'setting 3 4294967295',
    'settings end',
  ],
  'an acknowledgement': [frame(4, 1, 0), 'settings acknowledged'],
  GOAWAY: [frame(7, 0, 0, Buffer.concat([uint32(5), uint32(2), Buffer.from('why')])), 'goaway 5 2 why'],
  'PRIORITY and unknown frames as ignored': [
    Buffer.concat([frame(2, 0, 3, [0, 0, 0, 0, 1]), frame(99, 0, 5, [1, 2])]),
    'ignored 3 2',
    'ignored 5 99',
  ],
  'stream errors, and goes on': [
    Buffer.concat([
      frame(2, 0, 3, [0]),
      frame(2, 0, 3, selfDependency(3)),
      frame(8, 0, 3, uint32(0)),
      frame(8, 0, 3, uint32(1)),
    ]),
    `stream error 3 ${ErrorCode.frameSizeError}`,
    `stream error 3 ${ErrorCode.protocolError}`,
    `stream error 3 ${ErrorCode.protocolError}`,
    'window 3 1',
  ],
};

describe('frame reader', () => {
  for (const [name, [code, ...frames]] of Object.entries(CONNECTION_ERRORS)) {
    it(`ends the connection for ${name}`, () => {
      const bytes = Buffer.concat([EMPTY_SETTINGS, ...frames]);
      for (const chunks of [[bytes.length], [1], [7]]) {
        expect(readFrames(bytes, chunks).events.at(-1)).to.equal(`connection error ${code}`);
      }
    });
  }

  for (const [name, [bytes, ...events]] of Object.entries(EVENTS)) {
    it(`reports ${name}`, () => {
      for (const chunks of [[1000], [1], [10, 3]]) {
        const sink = readFrames(Buffer.concat([EMPTY_SETTINGS, bytes]), chunks);
        expect(sink.events).to.deep.equal(['settings end', ...events]);
      }
    });
  }

  it('wants SETTINGS first, and no acknowledgement', () => {
    for (const first of [frame(1, 5, 1, BLOCK), frame(4, 1, 0), frame(99, 0, 0)]) {
      expect(readFrames(first).events).to.deep.equal([`connection error ${ErrorCode.protocolError}`]);
    }
  });

  it('wants the preface of a client, byte by byte or at once', () => {
    const bytes = Buffer.concat([CLIENT_PREFACE, EMPTY_SETTINGS]);
    for (const chunks of [[1], [1000]]) {
      expect(readFrames(bytes, chunks, { expectsPreface: true }).events).to.deep.equal(['settings end']);
    }
    const other = Buffer.from('PRI * HTTP/2.1');
    expect(readFrames(other, [3], { expectsPreface: true }).events).to.deep.equal(['connection error 1']);
  });

  it('passes DATA on as it comes, without waiting for the frame', () => {
    const bytes = Buffer.concat([EMPTY_SETTINGS, frame(0, 1, 1, Buffer.alloc(1000, 65))]);
    const sink = readFrames(bytes.subarray(0, bytes.length - 500), [100]);
    expect(sink.pieces).to.be.greaterThan(3);
    expect(sink.events).to.deep.equal(['settings end', 'data 1 1000 padding 0 end']);
  });
});

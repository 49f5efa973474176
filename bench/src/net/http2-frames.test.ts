import { expect } from 'chai';
import {
  END_STREAM,
  FRAME,
  FrameCutter,
  PREFACE,
  frame,
  literalField,
  settingOf,
  windowUpdate,
} from './http2-frames.js';

const SESSION = Buffer.concat([
  PREFACE,
  frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0])),
  windowUpdate(0, 70_000),
  frame(FRAME.data, END_STREAM, 3, Buffer.from('hello')),
]);

function framesOf(chunks: readonly Buffer[]): string[] {
  const cutter = new FrameCutter(PREFACE.length);
  const seen: string[] = [];
  for (const chunk of chunks) {
    cutter.push(chunk, ({ type, flags, stream, bytes, start, end }) =>
      seen.push(`${type} ${flags} ${stream} ${bytes.toString('hex', start, end)}`),
    );
  }
  return seen;
}

describe('FrameCutter', () => {
  const expected = ['4 0 0 000400010000', '8 0 0 00011170', `0 1 3 ${Buffer.from('hello').toString('hex')}`];

  it('finds the same frames whatever way the bytes are cut', () => {
    for (let cut = 0; cut <= SESSION.length; cut += 1) {
      expect(framesOf([SESSION.subarray(0, cut), SESSION.subarray(cut)]), `cut at ${cut}`).to.deep.equal(expected);
    }
    expect(framesOf([...SESSION].map((byte) => Buffer.from([byte])))).to.deep.equal(expected);
  });

  it('reads a setting by its number', () => {
    new FrameCutter().push(frame(FRAME.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 9, 0, 4, 0, 1, 0, 0])), (found) => {
      expect(settingOf(found, 4)).to.equal(65_536);
      expect(settingOf(found, 1)).to.equal(undefined);
    });
  });
});

describe('literalField', () => {
  it('writes name and value with their lengths and refuses what one byte of length cannot say', () => {
    expect(literalField('a', 'bc').toString('latin1')).to.equal('\0\x01a\x02bc');
    expect(() => literalField('a', 'x'.repeat(127))).to.throw(/too long/);
  });
});

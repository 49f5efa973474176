import { expect } from 'chai';
import fc from 'fast-check';
import { murmur3, murmur3Text } from './murmur3.js';

/** Published vectors of MurmurHash3_x86_32: bytes in hexadecimal, seed, hash. */
const BYTES: readonly (readonly [hex: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['ffffffff', 0, 0x76293b50],
  ['21436587', 0, 0xf55b516b],
  ['21436587', 0x5082edee, 0x2362f9de],
  ['214365', 0, 0x7e4a8634],
  ['2143', 0, 0xa0f7b07a],
  ['21', 0, 0x72661cf4],
  ['00000000', 0, 0x2362f9de],
  ['000000', 0, 0x85f0b427],
  ['0000', 0, 0x30f4c306],
  ['00', 0, 0x514e28b7],
];

const TEXTS: readonly (readonly [text: string, seed: number, hash: number])[] = [
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
];

describe('the hash of bytes and texts', () => {
  for (const [hex, seed, hash] of BYTES) {
    it(`of ${hex === '' ? 'nothing' : hex} with seed ${seed} is that of the published vector`, () => {
      expect(murmur3(Buffer.from(hex, 'hex'), seed)).to.equal(hash);
    });
  }

  for (const [text, seed, hash] of TEXTS) {
    it(`of '${text}' with seed ${seed} is that of the published vector`, () => {
      expect(murmur3Text(text, seed)).to.equal(hash);
    });
  }

  it('of a text is that of its bytes in UTF-8, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat(), (text, seed) => {
        expect(murmur3Text(text, seed)).to.equal(murmur3(Buffer.from(text), seed));
      }),
    );
  });
});

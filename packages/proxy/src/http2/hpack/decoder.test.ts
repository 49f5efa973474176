import { expect } from 'chai';
import { ErrorCode } from '../error-codes.js';
import { BlockCache } from './block-cache.js';
import { decodeHex, errorCodeOf, lines, newDecoder } from '../testing/wire.js';

const INVALID: readonly (readonly [name: string, hex: string])[] = [
  ['index 0', '80'],
  ['an index beyond the static table while the dynamic one is empty', 'be'],
  ['a name index beyond the tables', '7f00 0161'],
  ['an integer without an end', 'ffffff'],
  ['an integer that is too large', 'ffffffffffffffff00'],
  ['an integer of many zeros', 'ff8080808080808000'],
  ['a field without a value', '400161'],
  ['a string that is longer than its block', '40 0161 05 6162'],
  ['a Huffman string with EOS in it', '00 0178 84 ffffffff'],
  ['a Huffman string with a whole byte of padding', '00 0178 82 1fff'],
  ['a Huffman string with zeros as padding', '00 0178 81 18'],
  ['a table size update above the limit', '3fe21f'],
  ['a table size update after a field', '8220'],
];

describe('HPACK decoder', () => {
  for (const [name, hex] of INVALID) {
    it(`ends the connection with COMPRESSION_ERROR for ${name}`, () => {
      expect(errorCodeOf(() => decodeHex(newDecoder(), hex))).to.equal(ErrorCode.compressionError);
    });
  }

  it('leaves out what exceeds a limit, says so, and keeps its table in step', () => {
    const field = `40 0161 0162`;
    const fields = decodeHex(newDecoder({ maxFields: 2 }), '828684');
    expect([fields.excess, fields.fields.length, fields.listSize]).to.deep.equal(['field count', 2, 42 + 43 + 38]);
    const decoder = newDecoder({ maxListBytes: 60 });
    const list = decodeHex(decoder, `${field} 82`);
    expect([list.excess, list.fields.length]).to.deep.equal(['list size', 1]);
    expect(lines(decodeHex(decoder, 'be'))).to.deep.equal(['a: b']);
    const string = decodeHex(newDecoder({ maxStringBytes: 3 }), '00 0161 04 61626364 82');
    expect([string.excess, lines(string)]).to.deep.equal(['string length', [':method: GET']]);
  });

  it('ends the connection for a bomb: one byte per reference to a large field', () => {
    const large = `40 0178 7fa11e ${'61'.repeat(4000)}`;
    expect(errorCodeOf(() => decodeHex(newDecoder(), large + 'be'.repeat(5000)))).to.equal(ErrorCode.enhanceYourCalm);
  });

  it('empties its table for a field that is larger than it', () => {
    const decoder = newDecoder();
    decodeHex(decoder, '40 0161 0162');
    decodeHex(decoder, `40 0161 7f811f ${'61'.repeat(4096)}`);
    expect(decoder.tableBytes).to.equal(0);
  });

  it('gives the same block again for bytes that came twice, but only while they mean the same', () => {
    const decoder = newDecoder();
    decodeHex(decoder, '40 0161 0162'); // a: b
    const [, second, third] = [0, 1, 2].map(() => decodeHex(decoder, '82be'));
    expect(third).to.equal(second);
    decodeHex(decoder, '40 0163 0164'); // c: d takes the place
    expect(lines(decodeHex(decoder, '82be'))).to.deep.equal([':method: GET', 'c: d']);
  });

  it('repeats the insertions of a block that it knows and that refers to no entry', () => {
    const decoder = newDecoder();
    const [, second, third] = [0, 1, 2].map(() => decodeHex(decoder, '88 5a04677a6970'));
    expect(third).to.equal(second);
    expect(decoder.tableBytes).to.equal(3 * (32 + 16 + 4));
    expect(lines(decodeHex(decoder, 'bebfc0'))).to.deep.equal(Array(3).fill('content-encoding: gzip'));
  });

  it('inserts nothing for a known block that inserted nothing, whatever came after it', () => {
    const decoder = newDecoder();
    for (let i = 0; i < 2; i++) decodeHex(decoder, '8284');
    decodeHex(decoder, '40 0161 0162');
    decodeHex(decoder, '8284');
    expect(decoder.tableBytes).to.equal(34);
  });

  it('tells blocks that differ in one byte apart', () => {
    const decoder = newDecoder();
    for (let i = 0; i < 3; i++) expect(lines(decodeHex(decoder, '82 00 0161 0162'))[1]).to.equal('a: b');
    for (let i = 0; i < 3; i++) expect(lines(decodeHex(decoder, '82 00 0161 0163'))[1]).to.equal('a: c');
  });

  it('tells blocks apart whose hashes are the same', () => {
    const cache = new BlockCache();
    const blockOf = (n: number): Buffer => Buffer.from(`\0\x01a\x08${n.toString(36).padStart(8, '0')}`, 'latin1');
    const numbers = new Map<number, number>();
    let one: number | undefined = undefined;
    let other = -1;
    while (one === undefined) {
      const block = blockOf(++other);
      cache.find(block, 0, block.length, 0);
      one = numbers.get(cache.hash);
      numbers.set(cache.hash, other);
    }
    const decoder = newDecoder();
    for (const n of [one, one, one, other]) {
      const [field] = decoder.decode(blockOf(n), 0, blockOf(n).length).fields;
      expect(parseInt(field.value, 36)).to.equal(n);
    }
  });

  it('insists on a size update once a smaller table was acknowledged', () => {
    const decoder = newDecoder({ maxTableBytes: 100 });
    decodeHex(decoder, '3fe11f 82'); // 4096: the peer has not seen our SETTINGS yet
    decoder.settingsAcknowledged();
    expect(errorCodeOf(() => decodeHex(decoder, '82'))).to.equal(ErrorCode.compressionError);
    expect(lines(decodeHex(decoder, '3f45 82'))).to.deep.equal([':method: GET']); // 100
    expect(errorCodeOf(() => decodeHex(decoder, '3f46 82'))).to.equal(ErrorCode.compressionError);
  });

  it('marks fields with bytes that are not allowed', () => {
    const isMalformed = (hex: string): boolean => decodeHex(newDecoder(), hex).fields[0].isMalformed;
    expect(isMalformed('00 0161 0162')).to.equal(false);
    expect(isMalformed('00 0141 0162'), 'upper case').to.equal(true);
    expect(isMalformed('00 00 0162'), 'no name').to.equal(true);
    expect(isMalformed('00 023a41 0162'), 'pseudo-header field in upper case').to.equal(true);
    expect(isMalformed('00 0161 030d0a62'), 'CR LF').to.equal(true);
    expect(isMalformed('00 0161 0100'), 'NUL').to.equal(true);
    expect(isMalformed('00 0161 022062'), 'leading space').to.equal(true);
    expect(isMalformed('00 0161 01ff'), 'obs-text').to.equal(false);
  });

  it('takes a name by index from a field with a bad value without calling the name bad', () => {
    const decoder = newDecoder();
    decodeHex(decoder, '40 0161 0100');
    expect(decodeHex(decoder, '7e 0162').fields[0].isMalformed).to.equal(false);
  });
});

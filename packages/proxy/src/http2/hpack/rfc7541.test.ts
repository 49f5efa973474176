import { expect } from 'chai';
import { decodeHex, lines, newDecoder } from '../testing/wire.js';
import { HuffmanDecoder, huffmanLength, writeHuffman } from './huffman.js';

interface Exchange {
  readonly hex: string;
  readonly fields: readonly string[];
  readonly tableBytes: number;
}

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
  [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
];
const DATE1 = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
const DATE2 = 'date: Mon, 21 Oct 2013 20:13:22 GMT';
const LOCATION = 'location: https://www.example.com';
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const ANSWERS = [
  [':status: 302', 'cache-control: private', DATE1, LOCATION],
  [':status: 307', 'cache-control: private', DATE1, LOCATION],
  [':status: 200', 'cache-control: private', DATE2, LOCATION, 'content-encoding: gzip', COOKIE],
];

function exchanges(fields: readonly string[][], tableBytes: readonly number[], hex: readonly string[]): Exchange[] {
  return hex.map((text, i) => ({ hex: text, fields: fields[i], tableBytes: tableBytes[i] }));
}

const SEQUENCES: readonly (readonly [name: string, tableBytes: number, exchanges: readonly Exchange[]])[] = [
  [
    'C.3 requests without Huffman coding',
    4096,
    exchanges(
      REQUESTS,
      [57, 110, 164],
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
    ),
  ],
  [
    'C.4 requests with Huffman coding',
    4096,
    exchanges(
      REQUESTS,
      [57, 110, 164],
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
    ),
  ],
  [
    'C.5 answers without Huffman coding',
    256,
    exchanges(
      ANSWERS,
      [222, 222, 215],
      [
        `4803333032580770726976617465611d${Buffer.from('Mon, 21 Oct 2013 20:13:21 GMT').toString('hex')}6e17${Buffer.from('https://www.example.com').toString('hex')}`,
        '4803333037c1c0bf',
        `88c1611d${Buffer.from('Mon, 21 Oct 2013 20:13:22 GMT').toString('hex')}c05a04677a69707738${Buffer.from('foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1').toString('hex')}`,
      ],
    ),
  ],
  [
    'C.6 answers with Huffman coding',
    256,
    exchanges(
      ANSWERS,
      [222, 222, 215],
      [
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        '4883640effc1c0bf',
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
    ),
  ],
];

describe('the examples of RFC 7541, appendix C', () => {
  for (const [name, tableBytes, sequence] of SEQUENCES) {
    it(`${name} decode to the fields and the table that stand there`, () => {
      const decoder = newDecoder({ maxTableBytes: 4096 });
      // The answers are given for a table of 256 bytes, which a size update in front of the first sets up.
      const update = tableBytes === 256 ? '3fe101' : '';
      sequence.forEach((exchange, i) => {
        const block = decodeHex(decoder, (i === 0 ? update : '') + exchange.hex);
        expect(lines(block)).to.deep.equal(exchange.fields);
        expect(decoder.tableBytes).to.equal(exchange.tableBytes);
      });
    });
  }

  it('C.2 literals of all kinds decode, and say whether they may be indexed', () => {
    const decoder = newDecoder();
    expect(lines(decodeHex(decoder, '400a637573746f6d2d6b65790d637573746f6d2d686561646572'))).to.deep.equal([
      'custom-key: custom-header',
    ]);
    expect(decoder.tableBytes).to.equal(55);
    const unindexed = decodeHex(decoder, '040c2f73616d706c652f70617468');
    expect(lines(unindexed)).to.deep.equal([':path: /sample/path']);
    expect(unindexed.fields[0].neverIndexed).to.equal(false);
    const never = decodeHex(decoder, '100870617373776f726406736563726574');
    expect(lines(never)).to.deep.equal(['password: secret']);
    expect(never.fields[0].neverIndexed).to.equal(true);
    expect(lines(decodeHex(decoder, '82'))).to.deep.equal([':method: GET']);
    expect(decoder.tableBytes).to.equal(55);
  });

  it('C.4 and C.6 are what our Huffman encoder writes, too', () => {
    for (const [text, hex] of [
      ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
      ['no-cache', 'a8eb10649cbf'],
      ['custom-value', '25a849e95bb8e8b4bf'],
      ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
    ]) {
      const out = Buffer.alloc(huffmanLength(text));
      expect(writeHuffman(out, 0, text)).to.equal(out.length);
      expect(out.toString('hex')).to.equal(hex);
    }
  });
});

describe('the Huffman code', () => {
  it('brings back every byte and every pair of bytes', () => {
    const decoder = new HuffmanDecoder();
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second += 5) {
        const text = String.fromCharCode(first, second);
        const out = Buffer.alloc(huffmanLength(text));
        expect(writeHuffman(out, 0, text)).to.equal(out.length);
        expect(decoder.decode(out, 0, out.length)).to.equal(text);
      }
    }
  });
});

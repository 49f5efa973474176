import { expect } from 'chai';
import fc from 'fast-check';
import { fastCheckParameters, fuzzSettings } from '../testing/framing/fuzz-settings.js';
import { ConnectionError } from './error-codes.js';
import { requestProblem, responseProblem, trailerProblem } from './header-rules.js';
import { HpackEncoder } from './hpack/encoder.js';
import { HeaderBlock } from './hpack/header-block.js';
import { HeaderField } from './hpack/header-field.js';
import { HuffmanDecoder, huffmanLength, writeHuffman } from './hpack/huffman.js';
import { DECODER_LIMITS, EMPTY_SETTINGS, frame, newDecoder, readFrames } from './testing/wire.js';

const SETTINGS = fuzzSettings(2000);
const PARAMETERS = fastCheckParameters(SETTINGS);

const LATIN1 = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const FIELD = fc
  .tuple(
    fc.oneof(fc.constantFrom(':path', 'x-a', 'cookie', 'authorization', 'date', 'x-'.padEnd(70, 'l')), LATIN1),
    fc.oneof(fc.constantFrom('', 'a', '/svc/Method', 'z'.repeat(900)), LATIN1),
    fc.boolean(),
  )
  .map(([name, value, never]) => new HeaderField(name, value, never));
const BLOCK = fc.array(FIELD, { maxLength: 12 }).map((fields) => HeaderBlock.of(fields));

interface Step {
  readonly block: number;
  readonly times: number;
  readonly tableBytes: number | null;
}

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    block: fc.nat(4),
    times: fc.integer({ min: 1, max: 4 }),
    tableBytes: fc.option(fc.constantFrom(0, 60, 500, 4096), { freq: 5 }),
  }),
  { maxLength: 20 },
);

/** A header block as an attacker might make it: valid parts, mutated or cut. */
const ROUGH_BLOCK = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.integer({ min: 0x80, max: 0xff }).map((byte) => [byte]),
        fc.constantFrom(
          [0x40, 1, 97, 1, 98],
          [0x00, 1, 97, 0x82, 0x1f, 0xff],
          [0x3f, 0xe1, 0x1f],
          [0x20],
          [0xff, 0xff],
        ),
        fc.uint8Array({ maxLength: 8 }).map((bytes) => [...bytes]),
      ),
      { maxLength: 30 },
    ),
    fc.nat(),
  )
  .map(([parts, cut]) => {
    const bytes = Buffer.from(parts.flat());
    return cut % 4 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
  });

const PAYLOAD = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(4, 5, 6, 8, 12).map((n) => new Uint8Array(n)),
);
const FRAME = fc
  .tuple(fc.nat(11), fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x20), fc.nat(255)), fc.nat(5), PAYLOAD)
  .map(([type, flags, streamId, payload]) => frame(type, flags, streamId, Buffer.from(payload)));
const FRAMES = fc
  .tuple(fc.array(FRAME, { maxLength: 30 }), fc.option(fc.tuple(fc.nat(), fc.nat(255))))
  .map(([all, mutation]) => {
    const bytes = Buffer.concat([EMPTY_SETTINGS, ...all]);
    if (mutation !== null) bytes[mutation[0] % bytes.length] = mutation[1];
    return bytes;
  });

/** Whatever a peer sends, the decoder answers with a block within its limits or a connection error. */
function decodeRough(bytes: readonly Buffer[], limits: { maxListBytes: number; maxFields: number }): void {
  const decoder = newDecoder(limits);
  try {
    for (const block of bytes) {
      const decoded = decoder.decode(block, 0, block.length);
      expect(decoded.fields.length).to.be.at.most(limits.maxFields);
      expect(decoder.tableBytes).to.be.at.most(DECODER_LIMITS.maxTableBytes);
      requestProblem(decoded, { extendedConnect: true });
      responseProblem(decoded);
      trailerProblem(decoded);
    }
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
  }
}

describe(`HTTP/2 codec, fuzzed (${SETTINGS.title})`, function () {
  this.timeout(0);

  it('decodes what it encoded, whatever bytes, tables and repetitions', () => {
    fc.assert(
      fc.property(fc.array(BLOCK, { minLength: 5, maxLength: 5 }), STEPS, fc.boolean(), (blocks, steps, huffman) => {
        const encoder = new HpackEncoder(4096, huffman ? 0 : undefined);
        const decoder = newDecoder();
        const out = Buffer.alloc(65_536);
        for (const { block, times, tableBytes } of steps) {
          if (tableBytes !== null) encoder.limitTable(tableBytes);
          for (let i = 0; i < times; i++) {
            const end = encoder.encode(out, 0, blocks[block]);
            expect(end).to.be.at.most(blocks[block].encodedBound);
            const decoded = decoder.decode(out, 0, end);
            expect(decoded.fields.map(({ name, value }) => [name, value])).to.deep.equal(
              blocks[block].fields.map(({ name, value }) => [name, value]),
            );
            expect(decoded.fields.map((field) => field.isMalformed)).to.deep.equal(
              blocks[block].fields.map((field) => field.isMalformed),
            );
            for (const [at, field] of blocks[block].fields.entries()) {
              if (field.neverIndexed) expect(decoded.fields[at].neverIndexed).to.equal(true);
            }
            expect(decoder.tableBytes).to.equal(encoder.tableBytes);
          }
        }
      }),
      PARAMETERS,
    );
  });

  it('decodes with its cache of blocks what it decodes without', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ROUGH_BLOCK, fc.integer({ min: 1, max: 4 })), { maxLength: 8 }), (sequence) => {
        const cached = newDecoder();
        const plain = newDecoder();
        for (const [bytes, times] of sequence) {
          for (let i = 0; i < times; i++) {
            // Blocks that begin with the present table size are never cached, and mean the same.
            const update = Buffer.concat([Buffer.from('3fe11f', 'hex'), bytes]);
            const outcomes = [
              [cached, bytes],
              [plain, update],
            ].map(([decoder, block]) => {
              try {
                const decoded = (decoder as typeof cached).decode(block as Buffer, 0, (block as Buffer).length);
                return decoded.fields.map(({ name, value }) => [name, value]);
              } catch (error) {
                return (error as ConnectionError).code;
              }
            });
            if (bytes.length > 0 && (bytes[0] & 0xe0) === 0x20) return; // changes the table size itself
            expect(outcomes[0]).to.deep.equal(outcomes[1]);
            if (typeof outcomes[0] === 'number') return;
            expect(cached.tableBytes).to.equal(plain.tableBytes);
          }
        }
      }),
      PARAMETERS,
    );
  });

  it('answers any bytes as a header block with a block within limits or a connection error', () => {
    const limits = { maxListBytes: 500, maxFields: 8 };
    fc.assert(
      fc.property(fc.array(fc.oneof(ROUGH_BLOCK, fc.uint8Array({ maxLength: 90 })), { maxLength: 6 }), (blocks) =>
        decodeRough(
          blocks.map((bytes) => Buffer.from(bytes)),
          limits,
        ),
      ),
      PARAMETERS,
    );
  });

  it('brings any bytes back through the Huffman code, and refuses a changed bit or gives other text', () => {
    const decoder = new HuffmanDecoder();
    fc.assert(
      fc.property(LATIN1, fc.nat(), (text, bit) => {
        const out = Buffer.alloc(huffmanLength(text));
        expect(writeHuffman(out, 0, text)).to.equal(out.length);
        expect(decoder.decode(out, 0, out.length)).to.equal(text);
        if (out.length === 0) return;
        out[(bit >> 3) % out.length] ^= 1 << (bit & 7);
        expect(decoder.decode(out, 0, out.length)).to.not.equal(text);
      }),
      PARAMETERS,
    );
  });

  it('reads the same frames, or the same error, wherever the chunks end', () => {
    fc.assert(
      fc.property(
        FRAMES,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (bytes, chunks) => {
          const whole = readFrames(bytes).events;
          expect(readFrames(bytes, chunks).events).to.deep.equal(whole);
          expect(readFrames(bytes, [1]).events).to.deep.equal(whole);
        },
      ),
      PARAMETERS,
    );
  });
});

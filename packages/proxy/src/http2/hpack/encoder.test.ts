import { expect } from 'chai';
import { newDecoder } from '../testing/wire.js';
import { BlockEdits } from './block-edits.js';
import { HpackEncoder } from './encoder.js';
import { HeaderBlock } from './header-block.js';
import { HeaderField } from './header-field.js';

function block(...fields: readonly (readonly [string, string, boolean?])[]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value, never]) => new HeaderField(name, value, never)));
}

function encode(encoder: HpackEncoder, what: HeaderBlock, edits?: BlockEdits, added: HeaderField[] = []): Buffer {
  const out = Buffer.alloc(8192);
  let end = encoder.encode(out, 0, what, edits);
  for (const field of added) end = encoder.encodeField(out, end, field);
  expect(end).to.be.at.most(what.encodedBound + (edits?.bound ?? 0) + added.reduce((sum, { size }) => sum + size, 0));
  return out.subarray(0, end);
}

const GET = block([':method', 'GET'], [':path', '/a/b'], ['user-agent', 'a'], ['x-tenant', 'blue']);

describe('HPACK encoder', () => {
  it('writes a block that comes again as indexes only', () => {
    const encoder = new HpackEncoder();
    const sizes = [0, 1, 2, 3, 4].map(() => encode(encoder, GET).length);
    expect(sizes.slice(2)).to.deep.equal([4, 4, 4]);
  });

  it('keeps credentials, short cookies and never-indexed fields out of every table', () => {
    const secret = block(['authorization', 'Bearer x'], ['cookie', 'id=1'], ['x-key', 'k', true]);
    const encoder = new HpackEncoder();
    for (let i = 0; i < 4; i++) {
      const bytes = encode(encoder, secret);
      const decoded = newDecoder().decode(bytes, 0, bytes.length);
      expect(decoded.fields.map(({ neverIndexed }) => neverIndexed)).to.deep.equal([true, true, true]);
    }
    expect(encoder.tableBytes).to.equal(0);
  });

  it('does not let changing values push out others, but indexes their names', () => {
    const encoder = new HpackEncoder();
    const sizes = ['1', '2', '3'].map((n) => encode(encoder, block(['traceparent', `00-${n}`])).length);
    expect(sizes[1]).to.be.lessThan(sizes[0]);
    expect(sizes[2]).to.equal(sizes[1]);
    expect(encoder.tableBytes).to.equal(32 + 'traceparent'.length + 4);
  });

  it('applies edits in place, also to a block that it knows, and adds fields behind it', () => {
    const edits = new BlockEdits(
      new Map([
        [':path', new HeaderField(':path', '/c')],
        ['user-agent', undefined],
      ]),
    );
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    for (let i = 0; i < 5; i++) {
      for (const [used, path] of [
        [edits, '/c'],
        [undefined, '/a/b'],
      ] as const) {
        const bytes = encode(encoder, GET, used, [new HeaderField('x-request-id', `${i}`)]);
        const decoded = decoder.decode(bytes, 0, bytes.length);
        expect(decoded.fields.map(({ name, value }) => [name, value])).to.deep.equal([
          [':method', 'GET'],
          [':path', path],
          ...(used === undefined ? [['user-agent', 'a']] : []),
          ['x-tenant', 'blue'],
          ['x-request-id', `${i}`],
        ]);
      }
    }
  });

  it('tells the peer of each change of the table before the next block', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    for (let i = 0; i < 3; i++) {
      const bytes = encode(encoder, GET);
      decoder.decode(bytes, 0, bytes.length);
    }
    encoder.limitTable(0);
    encoder.limitTable(2000);
    const bytes = encode(encoder, GET);
    expect(bytes.subarray(0, 4).toString('hex')).to.equal('203fb10f');
    expect(decoder.decode(bytes, 0, bytes.length).fields.length).to.equal(4);
    expect(decoder.tableBytes).to.equal(encoder.tableBytes);
  });

  it('works with a table of no bytes, and never uses more than its own bound', () => {
    const encoder = new HpackEncoder(4096);
    encoder.limitTable(0);
    for (let i = 0; i < 4; i++) encode(encoder, GET);
    expect(encoder.tableBytes).to.equal(0);
    encoder.limitTable(1_000_000);
    const bytes = encode(encoder, GET);
    expect(bytes.subarray(0, 3).toString('hex')).to.equal('3fe11f');
  });
});

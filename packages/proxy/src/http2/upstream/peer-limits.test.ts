import { expect } from 'chai';
import { BlockEdits } from '../hpack/block-edits.js';
import { HeaderField } from '../hpack/header-field.js';
import { blockOf } from '../testing/upstream-rig.js';
import { listSizeOf } from './peer-limits.js';

describe('the size of a header list that leaves', () => {
  const block = blockOf(['a', '1'], ['filler', 'x'.repeat(100)]);
  const without = new BlockEdits(new Map([['filler', undefined]]));

  it('counts 32 bytes beside each field', () => {
    expect(listSizeOf({ block, edits: undefined, added: undefined }, 0)).to.equal(34 + 138);
  });

  it('counts what is added', () => {
    expect(listSizeOf({ block, edits: undefined, added: [new HeaderField('b', '22')] }, 0)).to.equal(34 + 138 + 35);
  });

  it('leaves out what edits leave out, where it matters', () => {
    expect(listSizeOf({ block, edits: without, added: undefined }, 100)).to.equal(34);
    expect(listSizeOf({ block, edits: without, added: undefined }, 1000)).to.equal(34 + 138);
  });
});

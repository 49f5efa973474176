import { expect } from 'chai';
import { EditSets } from './edit-sets.js';

describe('sets of edits of heads', () => {
  it('are the same for the same edits, so that encoders know what they have written', () => {
    const sets = new EditSets();
    expect(sets.replacing(['a'], '/x', 'b', true)).to.equal(sets.replacing(['a'], '/x', 'b', true));
    expect(sets.replacing(['a'], '/x', 'b', true)).to.not.equal(sets.replacing(['a'], '/x', 'b', false));
    expect(sets.without(['a', 'b'])).to.equal(sets.without(['a', 'b']));
  });

  it('are not kept for long paths, with which a client could fill memory', () => {
    const sets = new EditSets();
    const path = `/${'x'.repeat(2000)}`;
    expect(sets.replacing([], path, undefined, true)).to.not.equal(sets.replacing([], path, undefined, true));
    expect(sets.replacing([], path, undefined, true).replaced.get(':path')?.value).to.equal(path);
  });
});

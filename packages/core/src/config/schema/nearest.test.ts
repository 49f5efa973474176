import { expect } from 'chai';
import fc from 'fast-check';
import { editDistance, nearestName } from './nearest.js';

describe('editDistance', () => {
  it('counts insertions, deletions, substitutions and swapped neighbours', () => {
    expect(editDistance('adress', 'address', 3)).to.equal(1);
    expect(editDistance('listne', 'listen', 3)).to.equal(1);
    expect(editDistance('kitten', 'sitting', 5)).to.equal(3);
    expect(editDistance('', 'abc', 5)).to.equal(3);
  });

  it('gives up beyond the limit', () => {
    expect(editDistance('address', 'refreshInterval', 3)).to.equal(4);
  });

  it('is symmetric, and zero only for equal texts', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b, 20);
        expect(editDistance(b, a, 20)).to.equal(distance);
        expect(distance === 0).to.equal(a === b);
        expect(distance).to.be.at.least(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('nearestName', () => {
  const names = ['address', 'refreshInterval', 'watch', 'type', 'host'];

  it('finds what the user meant', () => {
    expect(nearestName('adress', names)).to.equal('address');
    expect(nearestName('refeshInterval', names)).to.equal('refreshInterval');
    expect(nearestName('WATCH', names)).to.equal('watch');
  });

  it('does not guess when nothing is near', () => {
    expect(nearestName('port', names)).to.equal(undefined);
    expect(nearestName('heartbeat', names)).to.equal(undefined);
  });
});

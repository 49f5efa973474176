import { expect } from 'chai';
import { fieldName, policyField, remainingField, wholeSeconds } from './rate-limit-fields.js';

describe('the fields of a rate limit', () => {
  it('say how many calls there are in a window in which they come out whole', () => {
    const policies = [100, 1, 0.5, 2.5, 0.2, 0.1, 1 / 60, 1 / 7, 0, -1].map((rate) => policyField('a', rate));
    expect(policies).to.deep.equal([
      '"a";q=100;w=1',
      '"a";q=1;w=1',
      '"a";q=1;w=2',
      '"a";q=5;w=2',
      '"a";q=1;w=5',
      '"a";q=1;w=10',
      '"a";q=1;w=60',
      '"a";q=514;w=3600',
      '"a";q=0;w=1',
      '"a";q=0;w=1',
    ]);
  });

  it('carry any name as a string of structured fields', () => {
    expect(fieldName('world./v1/{id}')).to.equal('"world./v1/{id}"');
    expect(fieldName('a"b\\c')).to.equal('"a\\"b\\\\c"');
    expect(fieldName('größe\r\nx: y')).to.equal('"gr??e??x: y"');
  });

  it('round what is left down, and the time until there is more up, to at least a second', () => {
    expect(remainingField('"a"', 2.9, 1001)).to.equal('"a";r=2;t=2');
    expect(remainingField('"a"', 0, 0)).to.equal('"a";r=0;t=1');
    expect(remainingField('"a"', 0, Infinity)).to.equal('"a";r=0');
    expect([0, 1, 1000, 1000.1].map(wholeSeconds)).to.deep.equal([1, 1, 1, 2]);
  });
});

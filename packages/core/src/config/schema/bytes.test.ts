import { expect } from 'chai';
import fc from 'fast-check';
import { formatBytes, parseBytes } from './bytes.js';

describe('parseBytes', () => {
  it('counts in steps of 1024, with and without the i', () => {
    expect(parseBytes('512')).to.equal(512);
    expect(parseBytes('64KB')).to.equal(65_536);
    expect(parseBytes('64KiB')).to.equal(65_536);
    expect(parseBytes('64k')).to.equal(65_536);
    expect(parseBytes('1 MB')).to.equal(1_048_576);
    expect(parseBytes('2G')).to.equal(2_147_483_648);
    expect(parseBytes('1.5KB')).to.equal(1536);
  });

  it('refuses what is no whole number of bytes', () => {
    for (const text of ['', 'KB', '-1', '1TB', '0.5B', '1.0001KB', '99999999999999999999']) {
      expect(parseBytes(text), text).to.equal(undefined);
    }
  });

  it('reads back what formatBytes writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).to.equal(bytes);
      }),
    );
  });
});

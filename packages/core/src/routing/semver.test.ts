import { expect } from 'chai';
import fc from 'fast-check';
import { compareVersions } from './semver.js';

describe('the order of versions', () => {
  it('is that of Semantic Versioning', () => {
    const ascending = [
      'canary',
      'zzz',
      '0.0.1',
      '0.2',
      '0.10.0',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.0.1',
      'v1.2',
      '2.1.0',
      '10.0.0',
    ];
    for (const [index, version] of ascending.entries()) {
      for (const newer of ascending.slice(index + 1)) {
        expect(compareVersions(version, newer), `${version} < ${newer}`).to.be.below(0);
        expect(compareVersions(newer, version), `${newer} > ${version}`).to.be.above(0);
      }
    }
  });

  it('takes missing numbers for 0, and ignores build metadata and a leading v', () => {
    expect(compareVersions('1.2', 'v1.2.0+build.7')).to.equal(0);
  });

  it('is an order for any texts', () => {
    const version = fc.oneof(fc.stringMatching(/^\d\.\d(\.\d)?(-[ab1]\.?\d?)?$/), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).to.equal(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).to.be.at.most(0);
      }),
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.js';

describe('parseDuration', () => {
  it('reads durations as Go writes them, in milliseconds', () => {
    expect(parseDuration('30s')).to.equal(30_000);
    expect(parseDuration('500ms')).to.equal(500);
    expect(parseDuration('1m30s')).to.equal(90_000);
    expect(parseDuration('1.5h')).to.equal(5_400_000);
    expect(parseDuration('7d')).to.equal(604_800_000);
    expect(parseDuration('10us')).to.be.closeTo(0.01, 1e-9);
    expect(parseDuration(' 2s ')).to.equal(2000);
  });

  it('refuses a number without a unit unless the unit is agreed', () => {
    expect(parseDuration('30')).to.equal(undefined);
    expect(parseDuration('30', 's')).to.equal(30_000);
    expect(parseDuration('30', 'ms')).to.equal(30);
    expect(parseDuration('0')).to.equal(0);
  });

  it('refuses everything else', () => {
    for (const text of ['', 's', '30 s', '-1s', '1s2', '1y', '1s ago', '0x10s', '1e3s']) {
      expect(parseDuration(text), text).to.equal(undefined);
    }
  });

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).to.equal(milliseconds);
      }),
    );
  });
});

describe('formatDuration', () => {
  it('takes the largest unit without a fraction', () => {
    expect(formatDuration(30_000)).to.equal('30s');
    expect(formatDuration(1500)).to.equal('1500ms');
    expect(formatDuration(7_200_000)).to.equal('2h');
    expect(formatDuration(0)).to.equal('0s');
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { formatGrpcTimeout, parseGrpcTimeout } from './timeout.js';

/** Hours that eight digits hold. */
const LONGEST_MS = 99_999_999 * 3_600_000;

describe('grpc-timeout', () => {
  it('is read in each of its units', () => {
    const texts = ['2H', '3M', '4S', '5m', '6u', '7n', '0m', '99999999m'];
    const read = texts.map((text) => parseGrpcTimeout(text) ?? NaN);
    const wanted = [7_200_000, 180_000, 4_000, 5, 0.006, 0.000007, 0, 99_999_999];
    for (const [index, ms] of wanted.entries()) expect(read[index]).to.be.closeTo(ms, ms * 1e-9);
  });

  it('is none with more than eight digits, without digits or unit, or with anything else', () => {
    for (const text of ['', 'm', '5', '123456789m', '-1m', '1.5S', '1 S', '5s', '5h', '1Sm', '+1S']) {
      expect(parseGrpcTimeout(text), text).to.equal(undefined);
    }
  });

  it('is written in milliseconds while they have eight digits, then in the next unit that has', () => {
    expect([5000, 0.2, 0, 99_999_999, 100_000_000, 3e11, 9e14].map(formatGrpcTimeout)).to.deep.equal([
      '5000m',
      '1m',
      '0m',
      '99999999m',
      '100000S',
      '5000000M',
      '99999999H',
    ]);
  });

  it('reads back as it was written, never shorter and by less than a unit longer', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: LONGEST_MS, noNaN: true }), (ms) => {
        const text = formatGrpcTimeout(ms);
        const read = parseGrpcTimeout(text) ?? NaN;
        const unit = parseGrpcTimeout(`1${text.slice(-1)}`) ?? NaN;
        expect(text).to.match(/^\d{1,8}[HMSm]$/);
        expect(read).to.be.within(ms, ms + unit);
      }),
    );
  });
});

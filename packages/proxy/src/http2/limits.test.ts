import { expect } from 'chai';
import { DEFAULT_HTTP2_LIMITS, http2LimitsSchema } from './limits.js';

describe('HTTP/2 limits', () => {
  it('each say what they do and why their default is what it is', () => {
    const rows = http2LimitsSchema.referenceRows('');
    expect(rows.length).to.be.greaterThan(25);
    for (const { key, notes, defaultText } of rows) {
      expect(notes.doc, key).to.match(/^[A-Z].{15,}\.$/);
      expect(notes.reason, key).to.match(/^\S.{15,}[^.]$/);
      expect(defaultText, key).to.not.equal('');
    }
  });

  it('have windows that are no smaller than what peers assume before they know better', () => {
    expect(DEFAULT_HTTP2_LIMITS.streamWindow).to.be.at.least(65_535);
    expect(DEFAULT_HTTP2_LIMITS.connectionWindow).to.be.at.least(65_535);
    expect(DEFAULT_HTTP2_LIMITS).to.include({
      maxConcurrentStreams: 256,
      headerTableBytes: 4096,
      prefaceTimeout: 10_000,
    });
  });
});

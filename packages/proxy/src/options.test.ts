import { loadConfiguration } from '@mesher/core';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS, proxyOptionsSchema } from './options.js';

const SECTION = 'mesher.proxy';

async function load(
  overrides: Readonly<Record<string, string>>,
): Promise<Awaited<ReturnType<typeof loadConfiguration>>> {
  return loadConfiguration({
    confDir: '/nowhere',
    env: {},
    overrides: { 'servicecomb.service.name': 'test', ...overrides },
    sections: { [SECTION]: proxyOptionsSchema },
  });
}

describe('proxy options', () => {
  it('each say what they do and why their default is what it is', () => {
    const rows = proxyOptionsSchema.referenceRows('');
    expect(rows.length).to.be.greaterThan(20);
    for (const { key, notes, defaultText } of rows) {
      expect(notes.doc, key).to.match(/^[A-Z].{15,}\.$/);
      expect(notes.reason, key).to.match(/^\S.{15,}[^.]$/);
      expect(defaultText, key).to.not.equal('');
    }
  });

  it('are known by their schema alone, but for the one that stands elsewhere in the configuration', () => {
    const keys = proxyOptionsSchema.referenceRows('').map(({ key }) => key.split('.')[0]);
    expect(Object.keys(DEFAULT_PROXY_OPTIONS).sort()).to.deep.equal([...new Set([...keys, 'serverTiming'])].sort());
  });

  it('have the defaults of the schema in milliseconds and bytes', () => {
    expect(DEFAULT_PROXY_OPTIONS).to.include({
      maxHeadBytes: 65_536,
      maxHeaderFields: 128,
      connectTimeout: 2000,
      halfCloseGrace: 750,
      responseIdleTimeout: 300_000,
      tunnelIdleTimeout: 3_600_000,
      serverTiming: false,
    });
    expect(DEFAULT_PROXY_OPTIONS.forwarding).to.deep.equal({ xForwardedFor: 'append', forwarded: false, via: false });
  });

  it('are read from the configuration as people write them', async () => {
    const { document, errors } = await load({
      [`${SECTION}.connectTimeout`]: '500ms',
      [`${SECTION}.maxReplayBytes`]: '1MB',
      [`${SECTION}.forwarding.xForwardedFor`]: 'set',
    });
    expect(errors).to.deep.equal([]);
    const options = document?.section(SECTION, proxyOptionsSchema);
    expect(options).to.include({ connectTimeout: 500, maxReplayBytes: 1_048_576, responseTimeout: 30_000 });
    expect(options?.forwarding).to.deep.equal({ xForwardedFor: 'set', forwarded: false, via: false });
  });

  it('that make no sense are refused with what is expected', async () => {
    for (const [key, value] of [
      ['connectTimeout', '0s'],
      ['connectTimeout', '5'],
      ['maxHeadBytes', '100'],
      ['maxConnectionsPerEndpoint', '0'],
      ['forwarding.xForwardedFor', 'yes'],
      ['conectTimeout', '1s'],
    ]) {
      const { errors, notices } = await load({ [`${SECTION}.${key}`]: value });
      expect(
        [...errors, ...notices].map(({ path }) => path),
        key,
      ).to.include(`${SECTION}.${key}`);
    }
  });
});

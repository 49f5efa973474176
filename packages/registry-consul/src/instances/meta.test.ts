import { expect } from 'chai';
import { makeInstance, type Instance } from '@mesher/core';
import fc from 'fast-check';
import { META_LIMITS } from './meta-keys.js';
import { readMeta } from './read-meta.js';
import { writeMeta } from './write-meta.js';

const PLACE = { environment: undefined, region: undefined, zone: undefined };

function instance(facts: Partial<Instance>): Instance {
  const addresses = new Map([['rest', { host: '10.0.0.1', port: 80, tls: false }]]);
  return makeInstance({ service: 'world', instanceId: 'a', addresses, ...facts });
}

describe('the metadata of a registration in Consul', () => {
  it('is never more than Consul takes, and Mesher reads all of it that is not named as lost', () => {
    const key = fc.oneof(
      fc.stringMatching(/^[a-z_.-]{1,20}$/),
      fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }),
    );
    const value = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ maxLength: 700, unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 90 }), (metadata) => {
        const { meta, lost } = writeMeta(instance({ metadata }), PLACE);
        expect(Object.keys(meta).length).to.be.at.most(META_LIMITS.pairs);
        for (const [name, text] of Object.entries(meta)) {
          expect(name).to.match(/^[A-Za-z0-9_-]{1,128}$/);
          expect(name.startsWith('consul-')).to.equal(false);
          expect(Buffer.byteLength(text)).to.be.at.most(META_LIMITS.valueBytes);
        }
        const expected = Object.fromEntries(Object.entries(metadata).filter(([name]) => !lost.includes(name)));
        const problems: string[] = [];
        expect(readMeta(meta, (problem) => problems.push(problem)).metadata).to.deep.equal(expected);
        expect(problems).to.deep.equal([]);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves readable for others what Consul takes', () => {
    const { meta, packed, lost } = writeMeta(instance({ metadata: { stage: 'canary', 'a.b': 'c' } }), PLACE);
    expect(meta).to.include({ stage: 'canary', version: '0.0.1', app: 'default' });
    expect([packed, lost]).to.deep.equal([['a.b'], []]);
  });

  it('brings metadata across that has the name of what every object has', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const metadata = Object.fromEntries([[name, 'x']]);
      const { meta } = writeMeta(instance({ metadata }), PLACE);
      expect(Object.entries(readMeta(meta, () => undefined).metadata)).to.deep.equal([[name, 'x']]);
    }
  });

  it('keeps metadata apart that has the name of a fact', () => {
    const place = { ...PLACE, environment: 'production' };
    const metadata = { version: 'mine', environment: 'other', app: 'x' };
    const { meta } = writeMeta(instance({ metadata, version: '2' }), place);
    expect(meta).to.include({ version: '2', environment: 'production', app: 'default' });
    expect(readMeta(meta, () => {})).to.deep.include({ version: '2', environment: 'production', metadata });
  });

  it('names what there is no room for', () => {
    const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, 'x'.repeat(512)]));
    const { meta, lost } = writeMeta(instance({ metadata }), PLACE);
    expect(Object.keys(meta)).to.have.length(META_LIMITS.pairs);
    expect(lost).to.have.length(100 - META_LIMITS.pairs + 3);
    expect(Object.keys(meta).filter((name) => name.startsWith('k'))).to.have.length(META_LIMITS.pairs - 3);
  });

  it('loses nothing of many small entries', () => {
    const metadata = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`k${at}`, 'small']));
    const { meta, lost, packed } = writeMeta(instance({ metadata }), PLACE);
    expect(lost).to.deep.equal([]);
    expect(packed.length).to.be.lessThan(160);
    expect(readMeta(meta, () => {}).metadata).to.deep.equal(metadata);
  });

  it('says a weight that is no whole number', () => {
    const { meta } = writeMeta(instance({ weight: 0.5 }), PLACE);
    expect(readMeta(meta, () => {}).weight).to.equal(0.5);
    expect(writeMeta(instance({ weight: 3 }), PLACE).meta).not.to.have.property('mesher-weight');
  });

  it('is read with what others wrote into it, and tells what makes no sense', () => {
    const problems: string[] = [];
    const meta = { 'mesher-endpoint-x': 'nonsense', 'mesher-more-0': '!', 'mesher-weight': 'heavy', a: 1, b: 'c' };
    const read = readMeta(meta, (problem) => problems.push(problem));
    expect(read).to.deep.include({ metadata: { b: 'c' }, weight: undefined });
    expect(problems).to.deep.equal(['mesher-endpoint-x is no address: nonsense', 'mesher-more-* cannot be read']);
    expect(readMeta(null, () => {}).metadata).to.deep.equal({});
  });
});

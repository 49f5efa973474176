import { expect } from 'chai';
import fc from 'fast-check';
import { makeInstance, type Instance } from '@mesher/core';
import { formatRegistration, parseRegistration, registrationNames } from './registration-file.js';

const address = fc.record(
  {
    host: fc.string({ minLength: 1 }),
    port: fc.integer({ min: 1, max: 65_535 }),
    tls: fc.boolean(),
  },
  { noNullPrototype: true },
);
const name = fc.string();
const anyInstance: fc.Arbitrary<Instance> = fc.record(
  {
    service: name,
    instanceId: name,
    app: name,
    version: name,
    status: fc.constantFrom('UP', 'DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE'),
    weight: fc.double({ min: 0, max: 1e6, noNaN: true }).map((weight) => weight + 0),
    addresses: fc
      .uniqueArray(fc.tuple(name, address), { selector: ([protocol]) => protocol })
      .map((pairs) => new Map(pairs)),
    metadata: fc
      .uniqueArray(fc.tuple(name, name), { selector: ([key]) => key })
      .map((pairs) => Object.fromEntries(pairs)),
  },
  { noNullPrototype: true },
);

describe('A registration file', () => {
  // The order of protocols means nothing; JSON puts number-like keys first.
  const plain = ({ addresses, ...rest }: Instance) => ({ ...rest, addresses: [...addresses].sort() });
  const instance = makeInstance({
    service: 'world',
    instanceId: 'w-1',
    addresses: new Map([['rest', { host: '127.0.0.2', port: 30101, tls: false }]]),
  });
  const record = { instance, leaseMs: 15_000, owner: 'host-1-ab' };
  const valid = JSON.parse(formatRegistration(record)) as Record<string, unknown>;
  const parse = (changes: Record<string, unknown>) =>
    parseRegistration(JSON.stringify({ ...valid, ...changes }), 'world', 'w-1');

  it('says everything that other sidecars need, in readable JSON', () => {
    expect(valid).to.deep.equal({
      format: 1,
      service: 'world',
      app: 'default',
      version: '0.0.1',
      instanceId: 'w-1',
      status: 'UP',
      weight: 1,
      leaseSeconds: 15,
      owner: 'host-1-ab',
      endpoints: { rest: { host: '127.0.0.2', port: 30101, tls: false } },
      metadata: {},
    });
  });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(anyInstance, fc.string(), (any, owner) => {
        const text = formatRegistration({ instance: any, leaseMs: 1_500, owner });
        const read = parseRegistration(text, any.service, any.instanceId);
        if (typeof read === 'string') throw new Error(read);
        expect(plain(read.instance)).to.deep.equal(plain(any));
        expect(read).to.include({ leaseMs: 1_500, owner });
      }),
    );
  });

  it('is refused in words when something about it is wrong', () => {
    expect(parseRegistration('{"format":1,', 'world', 'w-1')).to.match(/^is no JSON \(cut off\?\)/);
    expect(parseRegistration('[]', 'world', 'w-1')).to.equal('is no JSON object');
    expect(parse({ format: 2 })).to.match(/^has format 2, expected 1/);
    expect(parse({ service: 'other' })).to.match(/^names another service/);
    expect(parse({ instanceId: 'w-2' })).to.match(/^names another instanceId/);
    expect(parse({ app: 1 })).to.match(/app and version/);
    expect(parse({ status: 'GONE' })).to.match(/^has status "GONE"/);
    expect(parse({ weight: -1 })).to.match(/weight/);
    expect(parse({ leaseSeconds: 0 })).to.match(/leaseSeconds/);
    expect(parse({ leaseSeconds: 1e9 })).to.match(/leaseSeconds/);
    expect(parse({ endpoints: null })).to.match(/endpoints/);
    expect(parse({ endpoints: { rest: { host: '', port: 1 } } })).to.match(/endpoint "rest"/);
    expect(parse({ endpoints: { rest: { host: 'h', port: 70_000 } } })).to.match(/endpoint "rest"/);
    expect(parse({ metadata: { zone: 1 } })).to.match(/metadata/);
  });

  it('may hold keys that this version does not know', () => {
    expect(parse({ later: true })).to.be.an('object');
  });

  it('has one place for each service and instance, whatever their names', () => {
    expect(registrationNames('shop/orders', '../evil')).to.deep.equal({
      folder: 'shop%2Forders',
      file: '%2E.%2Fevil.json',
    });
    expect(registrationNames('', 'a')).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { readEndpoint } from '@mesher/core';
import { readInstances } from './read-instances.js';

const AT = { service: 'orders', app: 'shop' };

describe('an instance of service-center', () => {
  it('is read with status, version, place and all of its addresses', () => {
    const [instance] = readInstances(
      [
        {
          instanceId: 'i1',
          endpoints: ['rest://10.0.0.1:8080?sslEnabled=true', 'grpc://[::1]:90', 'highway://10.0.0.1:7070/?x=1'],
          status: 'TESTING',
          version: '1.2.3',
          properties: { stage: 'canary', number: 5 },
          dataCenterInfo: { name: 'dc', region: 'eu', availableZone: 'eu-1' },
        },
      ],
      AT,
      () => {},
    );
    expect(instance).to.deep.equal({
      service: 'orders',
      instanceId: 'i1',
      app: 'shop',
      version: '1.2.3',
      status: 'TESTING',
      weight: 1,
      addresses: new Map([
        ['rest', { host: '10.0.0.1', port: 8080, tls: true }],
        ['grpc', { host: '::1', port: 90, tls: false }],
        ['highway', { host: '10.0.0.1', port: 7070, tls: false }],
      ]),
      metadata: { region: 'eu', zone: 'eu-1', stage: 'canary' },
    });
  });

  it('that makes no sense is left out, and the others are not', () => {
    const problems: string[] = [];
    const list = [
      null,
      7,
      {},
      { instanceId: 'a', endpoints: ['rest://x', 'rest://x:0', 'rest://x:70000', 'rest://x:1'] },
    ];
    const instances = readInstances(list, AT, (problem) => problems.push(problem));
    expect(instances.map(({ instanceId, addresses }) => [instanceId, addresses.size])).to.deep.equal([['a', 1]]);
    expect(problems).to.have.length(6);
  });

  it('that is listed twice counts once', () => {
    const list = [
      { instanceId: 'a', status: 'UP' },
      { instanceId: 'a', status: 'DOWN' },
    ];
    expect(readInstances(list, AT, () => {}).map(({ status }) => status)).to.deep.equal(['DOWN']);
  });

  it('with a status that nobody knows takes no calls, and without one it does', () => {
    const list = [{ instanceId: 'a', status: 'ODD' }, { instanceId: 'b' }];
    expect(readInstances(list, AT, () => {}).map(({ status }) => status)).to.deep.equal(['DOWN', 'UP']);
  });

  for (const text of [
    undefined,
    5,
    '',
    'rest',
    'rest://',
    '://a:1',
    'rest://a b:1',
    'rest://a:99999',
    'rest://u@h:1x',
    'rest://u@h:1',
    'rest://a\0b:1',
    'rest://a%0d%0a:1',
    'rest://[fe80::1%a b]:1',
    `rest://${'a'.repeat(300)}:1`,
    `${'a'.repeat(65)}://a:1`,
    `rest://a:1?x=${'a'.repeat(3_000)}`,
  ]) {
    it(`has no address that is ${JSON.stringify(text)}`, () => expect(readEndpoint(text)).to.equal(undefined));
  }

  it('may hold what no text can be made of, and however much of it', () => {
    const unprintable: unknown = JSON.parse('{"toString":1,"valueOf":1}');
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    const endpoints = [unprintable, deep, ...Array.from({ length: 100 }, (_, at) => `p${at}://a:1`)];
    const problems: string[] = [];
    const tell = (problem: string): number => problems.push(problem);
    const [instance] = readInstances([{ instanceId: 'a', endpoints, properties: { x: 'y'.repeat(70_000) } }], AT, tell);
    expect(instance?.addresses.size).to.equal(64);
    expect(instance?.metadata).to.deep.equal({});
    expect(problems).to.deep.equal([
      'orders a: no address: an object',
      'orders a: no address: a list',
      'orders a: more than 64 addresses; the others are left out',
      'orders a: properties of 70001 characters, which are left out: more than 65536',
    ]);
  });

  it('has no id and no version of a megabyte, and neither has what is told of it', () => {
    const long = 'x'.repeat(1_000_000);
    const problems: string[] = [];
    const list = [{ instanceId: long }, { instanceId: 'a', version: long }];
    expect(readInstances(list, AT, (problem) => problems.push(problem))).to.deep.equal([]);
    expect(problems.every(({ length }) => length < 300)).to.equal(true);
  });

  it('keeps properties with names that objects have of their own', () => {
    const properties: unknown = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
    const [instance] = readInstances([{ instanceId: 'a', properties }], AT, () => {});
    const { metadata = {} } = instance ?? {};
    expect(Object.entries(metadata)).to.deep.equal([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ]);
    expect(Object.getPrototypeOf(metadata)).to.equal(Object.prototype);
  });

  it('lists nothing where there is no list', () => {
    for (const list of [undefined, null, {}, 'x']) expect(readInstances(list, AT, () => {})).to.deep.equal([]);
  });
});

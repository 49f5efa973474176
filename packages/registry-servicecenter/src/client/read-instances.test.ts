import { expect } from 'chai';
import { readEndpoint, readInstances } from './read-instances.js';

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
  ]) {
    it(`has no address that is ${JSON.stringify(text)}`, () => expect(readEndpoint(text)).to.equal(undefined));
  }

  it('lists nothing where there is no list', () => {
    for (const list of [undefined, null, {}, 'x']) expect(readInstances(list, AT, () => {})).to.deep.equal([]);
  });
});

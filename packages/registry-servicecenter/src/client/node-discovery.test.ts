import { expect } from 'chai';
import { readNodes } from './node-discovery.js';

const node = (endpoint: unknown, availableZone?: string): object => ({
  endpoints: [endpoint],
  dataCenterInfo: { availableZone },
});

describe('the nodes that service-center names', () => {
  it('are those with an address for REST, the ones in the own zone apart', () => {
    const instances = [
      node('rest://10.0.0.1:30100/', 'a'),
      node('rest://[fd00::1]:30100?sslEnabled=true', 'b'),
      node('grpc://10.0.0.1:30103'),
      node('rest://user@10.0.0.1:30100'),
      node({ toString: 1 }),
      { endpoints: 'rest://10.0.0.2:1' },
      null,
    ];
    expect([...readNodes(instances, 'a', false, false)]).to.deep.equal([
      ['http://10.0.0.1:30100', 'own-zone'],
      ['https://[fd00::1]:30100', 'other-zone'],
    ]);
  });

  it('are spoken to with TLS where the configured ones are, whatever they say', () => {
    const instances = [node('rest://10.0.0.1:30100/?sslEnabled=false')];
    expect([...readNodes(instances, undefined, true, false).keys()]).to.deep.equal(['https://10.0.0.1:30100']);
  });

  it('are none of this machine, unless service-center is, and never all addresses of one', () => {
    const hosts = ['0.0.0.0', '[::]', '127.0.0.1', '[::1]', 'localhost'];
    const instances = hosts.map((host) => node(`rest://${host}:30100`));
    expect([...readNodes(instances, undefined, false, false).keys()]).to.deep.equal([]);
    expect([...readNodes(instances, undefined, false, true).keys()]).to.deep.equal([
      'http://127.0.0.1:30100',
      'http://[::1]:30100',
      'http://localhost:30100',
    ]);
  });

  it('are no more than anybody runs', () => {
    const instances = Array.from({ length: 1_000 }, (_, at) => node(`rest://10.0.${at >> 8}.${at & 255}:30100`));
    expect(readNodes(instances, undefined, false, false).size).to.equal(64);
  });
});

import { expect } from 'chai';
import { httpInstance, instanceAt } from '../testing/instances.js';
import { canonicalIp } from './ip-address.js';
import { buildIpIndex, LateIpIndex } from './ip-index.js';

describe('the IP index', () => {
  it('finds the service that has an address, by IP and by IP with port', () => {
    const orders = httpInstance('10.0.0.1:8080', { service: 'orders' });
    const index = buildIpIndex([orders, httpInstance('10.0.0.2:8080', { service: 'stock' })]);
    expect(index.byIp('10.0.0.1')).to.equal(orders);
    expect(index.byAddress('10.0.0.1', 8080)).to.equal(orders);
    expect(index.byAddress('10.0.0.1', 8081)).to.equal(undefined);
    expect(index.byIp('10.0.0.3')).to.equal(undefined);
  });

  it('finds every address of an instance', () => {
    const index = buildIpIndex([instanceAt({ rest: '10.0.0.1:80', grpc: '10.0.0.9:90' }, { service: 'orders' })]);
    expect([index.byIp('10.0.0.9')?.service, index.byAddress('10.0.0.1', 80)?.service]).to.deep.equal([
      'orders',
      'orders',
    ]);
  });

  it('answers nothing for an IP that several services share, and the right one for each port of it', () => {
    const index = buildIpIndex([
      httpInstance('10.0.0.1:8080', { service: 'orders' }),
      httpInstance('10.0.0.1:9090', { service: 'stock' }),
      httpInstance('10.0.0.1:7070', { service: 'orders' }),
    ]);
    expect(index.byIp('10.0.0.1')).to.equal(undefined);
    expect(index.byAddress('10.0.0.1', 8080)?.service).to.equal('orders');
    expect(index.byAddress('10.0.0.1', 9090)?.service).to.equal('stock');
  });

  it('answers nothing for a port that several services claim', () => {
    const index = buildIpIndex([
      httpInstance('10.0.0.1:8080', { service: 'orders' }),
      httpInstance('10.0.0.1:8080', { service: 'stock' }),
    ]);
    expect(index.byAddress('10.0.0.1', 8080)).to.equal(undefined);
  });

  it('knows the service of an IP at which several of its instances are', () => {
    const index = buildIpIndex([
      httpInstance('10.0.0.1:8080', { service: 'orders' }),
      httpInstance('10.0.0.1:8081', { service: 'orders' }),
    ]);
    expect(index.byIp('10.0.0.1')?.service).to.equal('orders');
  });

  it('gives an address that was handed on to the service that is alive there', () => {
    for (const status of ['DOWN', 'OUTOFSERVICE'] as const) {
      const gone = httpInstance('10.0.0.1:8080', { service: 'orders', status });
      const alive = httpInstance('10.0.0.1:8080', { service: 'stock' });
      for (const order of [
        [gone, alive],
        [alive, gone],
      ]) {
        expect(buildIpIndex(order).byIp('10.0.0.1')?.service, status).to.equal('stock');
        expect(buildIpIndex(order).byAddress('10.0.0.1', 8080)?.service, status).to.equal('stock');
      }
    }
  });

  it('still knows an instance that is down, because it may call', () => {
    const index = buildIpIndex([httpInstance('10.0.0.1:8080', { service: 'orders', status: 'DOWN' })]);
    expect(index.byIp('10.0.0.1')?.service).to.equal('orders');
  });

  it('finds an IPv6 address however it is spelled', () => {
    const index = buildIpIndex([httpInstance('2001:DB8:0:0:0:0:0:1:80', { service: 'orders' })]);
    for (const spelling of ['2001:db8::1', '2001:DB8:0::1', '2001:0db8:0000:0000:0000:0000:0000:0001']) {
      expect(index.byIp(spelling)?.service, spelling).to.equal('orders');
      expect(index.byAddress(spelling, 80)?.service, spelling).to.equal('orders');
    }
  });

  it('finds an IPv4 address that comes as IPv4-mapped IPv6', () => {
    const index = buildIpIndex([httpInstance('10.0.0.1:80', { service: 'orders' })]);
    expect(index.byIp('::ffff:10.0.0.1')?.service).to.equal('orders');
  });
});

describe('an IP index that is connected later', () => {
  it('knows nothing before, and what the other one knows afterwards', () => {
    const late = new LateIpIndex();
    expect([late.byIp('10.0.0.1'), late.byAddress('10.0.0.1', 80)]).to.deep.equal([undefined, undefined]);
    late.follow(buildIpIndex([httpInstance('10.0.0.1:80', { service: 'orders' })]));
    expect(late.byIp('10.0.0.1')?.service).to.equal('orders');
    expect(late.byAddress('10.0.0.1', 80)?.service).to.equal('orders');
  });
});

describe('the canonical spelling of an address', () => {
  const spellings: readonly (readonly [text: string, canonical: string])[] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::0001%eth0', 'fe80::1'],
    ['world.example', 'world.example'],
    ['', ''],
    ['not:an:address', 'not:an:address'],
  ];
  for (const [text, canonical] of spellings) {
    it(`of '${text}' is '${canonical}'`, () => expect(canonicalIp(text)).to.equal(canonical));
  }
});

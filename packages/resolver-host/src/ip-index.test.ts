import { ServiceDirectory, silentLogger, steadyBalancing, type CallView } from '@mesher/core';
import { FakeCall, ScriptedDiscovery, fakePorts, httpInstance, settle } from '@mesher/core/testing';
import { expect } from 'chai';
import { IpResolver } from './ip-resolver.js';
import { AddressThenHeader } from './source-resolver.js';

const ORDERS = httpInstance('10.0.0.1:30101', { service: 'orders', app: 'shop', version: '2.1.0' });
const STOCK = httpInstance('10.0.0.2:30101', { service: 'stock' });

/** A real directory that follows a scripted registry. */
async function directoryOf(...instances: (typeof ORDERS)[]): Promise<{
  readonly directory: ServiceDirectory;
  readonly discovery: ScriptedDiscovery;
}> {
  const discovery = new ScriptedDiscovery();
  const ports = fakePorts();
  const directory = new ServiceDirectory(discovery, ports, silentLogger(), steadyBalancing(ports));
  discovery.publishAll(instances);
  await directory.followAll();
  return { directory, discovery };
}

function to(authority: string): CallView {
  return new FakeCall({ authority });
}

describe('the resolver by IP address', () => {
  it('finds the service that is registered at the address', async () => {
    const { directory } = await directoryOf(ORDERS, STOCK);
    const resolver = new IpResolver(directory.ipIndex);
    expect(resolver.resolve(to('10.0.0.1'))).to.deep.equal({ service: 'orders' });
    expect(resolver.resolve(to('10.0.0.2'))).to.deep.equal({ service: 'stock' });
  });

  it('passes a port on, unless it is the registered one', async () => {
    const { directory } = await directoryOf(ORDERS);
    const resolver = new IpResolver(directory.ipIndex);
    expect(resolver.resolve(to('10.0.0.1:30101'))).to.deep.equal({ service: 'orders' });
    expect(resolver.resolve(to('10.0.0.1:8083'))).to.deep.equal({ service: 'orders', port: 8083 });
  });

  it('tells services at one address by the port, and does not guess without it', async () => {
    const { directory } = await directoryOf(ORDERS, httpInstance('10.0.0.1:8080', { service: 'stock' }));
    const resolver = new IpResolver(directory.ipIndex);
    expect(resolver.resolve(to('10.0.0.1:8080'))).to.deep.equal({ service: 'stock' });
    expect(resolver.resolve(to('10.0.0.1'))).to.equal(undefined);
    expect(resolver.resolve(to('10.0.0.1:9'))).to.equal(undefined);
  });

  it('finds an IPv6 address in brackets', async () => {
    const { directory } = await directoryOf(httpInstance('2001:db8::1:80', { service: 'orders' }));
    const resolver = new IpResolver(directory.ipIndex);
    expect(resolver.resolve(to('[2001:DB8::1]:80'))).to.deep.equal({ service: 'orders' });
  });

  it('finds nothing for a name, an unknown address, or a connection that names none', async () => {
    const { directory } = await directoryOf(ORDERS);
    const resolver = new IpResolver(directory.ipIndex);
    for (const authority of ['orders', '10.0.0.9', '']) expect(resolver.resolve(to(authority))).to.equal(undefined);
  });

  it('follows the registry', async () => {
    const { directory, discovery } = await directoryOf(ORDERS);
    const resolver = new IpResolver(directory.ipIndex);
    discovery.publishAll([httpInstance('10.0.0.1:30101', { service: 'stock' })]);
    await settle();
    expect(resolver.resolve(to('10.0.0.1'))).to.deep.equal({ service: 'stock' });
  });
});

describe('the source resolver', () => {
  const peer = (remoteAddress: string, headers: Record<string, string> = {}): FakeCall =>
    new FakeCall({ direction: 'inbound', remoteAddress, headers });

  it('knows a caller by its address, with application and version', async () => {
    const { directory } = await directoryOf(ORDERS);
    expect(new AddressThenHeader(directory.ipIndex).identify(peer('10.0.0.1'))).to.deep.equal({
      service: 'orders',
      app: 'shop',
      version: '2.1.0',
      by: 'ip',
    });
  });

  it('believes the address more than what a caller says of itself', async () => {
    const { directory } = await directoryOf(ORDERS);
    const liar = peer('10.0.0.1', { 'x-cse-src-microservice': 'admin' });
    expect(new AddressThenHeader(directory.ipIndex).identify(liar)?.service).to.equal('orders');
  });

  it('believes a caller at an unknown address: first the context, then the plain field', async () => {
    const { directory } = await directoryOf(ORDERS);
    const resolver = new AddressThenHeader(directory.ipIndex);
    const context = '{"x-cse-src-microservice":"frontend"}';
    const both = peer('10.0.0.9', { 'x-cse-context': context, 'x-cse-src-microservice': 'other' });
    expect(resolver.identify(both)).to.deep.equal({ service: 'frontend', by: 'header' });
    const plain = peer('10.0.0.9', { 'x-cse-context': 'garbage', 'x-cse-src-microservice': 'other' });
    expect(resolver.identify(plain)).to.deep.equal({ service: 'other', by: 'header' });
  });

  it('does not take everybody on this machine for the one service that is registered on loopback', async () => {
    const { directory } = await directoryOf(
      httpInstance('127.0.0.1:8080', { service: 'world' }),
      httpInstance('::1:8080', { service: 'world' }),
    );
    const resolver = new AddressThenHeader(directory.ipIndex);
    for (const address of ['127.0.0.1', '::1', '']) {
      expect(resolver.identify(peer(address)), address).to.equal(undefined);
      const said = peer(address, { 'x-cse-src-microservice': 'hello' });
      expect(resolver.identify(said), address).to.deep.equal({ service: 'hello', by: 'header' });
    }
  });

  it('tells sidecars apart that have loopback addresses of their own', async () => {
    const { directory } = await directoryOf(
      httpInstance('127.0.0.2:30101', { service: 'world' }),
      httpInstance('127.0.0.3:30101', { service: 'hello' }),
    );
    expect(new AddressThenHeader(directory.ipIndex).identify(peer('127.0.0.3'))?.service).to.equal('hello');
  });

  it('knows nobody without an address and without a word', async () => {
    const { directory } = await directoryOf();
    expect(new AddressThenHeader(directory.ipIndex).identify(peer('10.0.0.9'))).to.equal(undefined);
    expect(
      new AddressThenHeader(directory.ipIndex).identify(peer('10.0.0.9', { 'x-cse-src-microservice': '' })),
    ).to.equal(undefined);
  });
});

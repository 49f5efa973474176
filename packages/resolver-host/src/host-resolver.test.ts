import { expect } from 'chai';
import { FakeCall } from '@mesher/core/testing';
import { HostResolver } from './host-resolver.js';

function resolve(resolver: HostResolver, authority: string): ReturnType<HostResolver['resolve']> {
  return resolver.resolve(new FakeCall({ authority }));
}

describe('the resolver by host', () => {
  it('finds the service that the host names, and its port', () => {
    const resolver = new HostResolver();
    expect(resolve(resolver, 'world:8083')).to.deep.equal({ service: 'world', port: 8083 });
    expect(resolve(resolver, 'hello')).to.deep.equal({ service: 'hello' });
  });

  it('answers the same object again, so that a call costs no new one', () => {
    const resolver = new HostResolver();
    expect(resolve(resolver, 'world')).to.equal(resolve(resolver, 'world'));
  });

  it('finds nothing for an address, however often it is asked', () => {
    const resolver = new HostResolver();
    expect([resolve(resolver, '10.0.0.1'), resolve(resolver, '10.0.0.1')]).to.deep.equal([undefined, undefined]);
  });

  it('does not keep every name that callers make up', () => {
    const resolver = new HostResolver();
    const world = resolve(resolver, 'world');
    for (let i = 0; i < 1_000; i++) resolve(resolver, `made-up-${i}`);
    const again = resolve(resolver, 'world');
    expect(again).to.deep.equal(world);
    expect(again === world).to.equal(false);
    expect(resolve(resolver, 'x'.repeat(10_000))).to.equal(undefined);
  });
});

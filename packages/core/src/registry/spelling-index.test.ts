import { expect } from 'chai';
import { makeInstance } from './instance.js';
import { SpellingIndex } from './spelling-index.js';

function listed(...services: string[]): SpellingIndex {
  return new SpellingIndex(
    services.map((service) => makeInstance({ service, instanceId: service, addresses: new Map() })),
  );
}

describe('The index of spellings', () => {
  it('finds a name with capitals for a URL library that lower-cases it', () => {
    expect(listed('ServiceB', 'world').registeredAs('serviceb')).to.equal('ServiceB');
  });

  it('prefers the exact name', () => {
    expect(listed('Orders', 'orders').registeredAs('orders')).to.equal('orders');
    expect(listed('Orders', 'orders').registeredAs('Orders')).to.equal('Orders');
  });

  it('does not guess between names that differ in case only', () => {
    expect(listed('OrderS', 'Orders').registeredAs('orders')).to.equal(undefined);
  });

  it('does not know what is not registered', () => {
    expect(listed('world').registeredAs('word')).to.equal(undefined);
  });

  it('takes many instances of one service for one name', () => {
    expect(listed('ServiceB', 'ServiceB', 'ServiceB').registeredAs('serviceb')).to.equal('ServiceB');
  });
});

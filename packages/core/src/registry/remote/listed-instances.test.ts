import { expect } from 'chai';
import { ITEMS_PER_SLICE, atOnce } from '../../slices/slices.js';
import { makeInstance, type Instance } from '../instance.js';
import { areSameInstances, isSameInstance, readingInstances, type ListedInstances } from './listed-instances.js';

function instance(id: string, facts: Partial<Instance> = {}): Instance {
  const addresses = new Map([['rest', { host: `host-${id}`, port: 80, tls: false }]]);
  return makeInstance({ service: 'world', instanceId: id, addresses, metadata: { stage: 'canary' }, ...facts });
}

const readId = (id: unknown): Instance | undefined => (typeof id === 'string' ? instance(id) : undefined);

const read = (items: readonly unknown[], known?: ListedInstances): ListedInstances =>
  atOnce(readingInstances(items, readId, known));

describe('instances that a registry lists', () => {
  it('keep their objects from one answer to the next while they are as they were', () => {
    const first = read(['a', 'b']);
    const second = atOnce(
      readingInstances(['b', 'a', 'c'], (id) => (id === 'b' ? instance('b', { status: 'DOWN' }) : readId(id)), first),
    );
    expect(second.get('a')).to.equal(first.get('a'));
    expect(second.get('b')).not.to.equal(first.get('b'));
    expect([...second.keys()]).to.deep.equal(['b', 'a', 'c']);
  });

  it('are left out when they make no sense, and counted once by their id', () => {
    expect([...read(['a', 7, 'a', 'b']).keys()]).to.deep.equal(['a', 'b']);
  });

  it('are read in steps', () => {
    const ids = Array.from({ length: 3 * ITEMS_PER_SLICE }, (_, index) => String(index));
    const steps = readingInstances(ids, readId);
    let count = 1;
    while (steps.next().done !== true) count++;
    expect(count).to.equal(3);
  });

  const changes: readonly Partial<Instance>[] = [
    { service: 'other' },
    { app: 'other' },
    { version: '2.0.0' },
    { status: 'DOWN' },
    { weight: 2 },
    { metadata: {} },
    { metadata: { stage: 'stable' } },
    { metadata: { toString: 'canary' } },
    { metadata: { stage: 'canary', more: '1' } },
    { addresses: new Map() },
    { addresses: new Map([['grpc', { host: 'host-a', port: 80, tls: false }]]) },
    { addresses: new Map([['rest', { host: 'host-b', port: 80, tls: false }]]) },
    { addresses: new Map([['rest', { host: 'host-a', port: 81, tls: false }]]) },
    { addresses: new Map([['rest', { host: 'host-a', port: 80, tls: true }]]) },
  ];
  for (const change of changes) {
    const [[name, value]] = Object.entries(change) as [[string, unknown]];
    it(`are not as they were with another ${name}: ${JSON.stringify(value instanceof Map ? [...value] : value)}`, () => {
      expect(isSameInstance(instance('a'), instance('a', change))).to.equal(false);
    });
  }

  it('are as they were when all of it is equal, in whatever order', () => {
    const both = { rest: { host: 'h', port: 1, tls: false }, grpc: { host: 'h', port: 2, tls: false } };
    const one = instance('a', { addresses: new Map(Object.entries(both)), metadata: { x: '1', y: '2' } });
    const reversed = new Map(Object.entries(both).reverse());
    expect(isSameInstance(one, instance('a', { addresses: reversed, metadata: { y: '2', x: '1' } }))).to.equal(true);
  });

  it('are compared by their objects as a whole', () => {
    const first = read(['a', 'b']);
    expect(areSameInstances(first, read(['b', 'a'], first))).to.equal(true);
    expect(areSameInstances(first, read(['b', 'a']))).to.equal(false);
    expect(areSameInstances(first, read(['a'], first))).to.equal(false);
    expect(areSameInstances(first, read(['a', 'c'], first))).to.equal(false);
  });
});

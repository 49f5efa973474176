import { expect } from 'chai';
import type { CallView, PluginContext } from '@mesher/core';
import { pathPrefixResolver } from './path-prefix-resolver.js';

const ROUTES = [
  { prefix: '/orders/', service: 'orders' },
  { prefix: '/orders/returns/', service: 'returns' },
  { prefix: '/users/', service: 'users' },
];

async function serviceFor(path: string): Promise<string | undefined> {
  const resolver = await pathPrefixResolver.create({ routes: ROUTES }, {} as PluginContext);
  const destination = await resolver.resolve({ path } as CallView);
  return destination?.service;
}

describe('the path-prefix resolver', () => {
  it('finds the service by the beginning of the path', async () => {
    expect(await serviceFor('/orders/17?full=1')).to.equal('orders');
    expect(await serviceFor('/users/')).to.equal('users');
  });

  it('takes the longest prefix that fits, whatever the order of the table', async () => {
    expect(await serviceFor('/orders/returns/3')).to.equal('returns');
  });

  it('knows no service for a path that nothing fits, so the caller gets a 404', async () => {
    expect(await serviceFor('/ordersheet')).to.equal(undefined);
    expect(await serviceFor('*')).to.equal(undefined);
  });

  it('is chosen by its name', () => {
    expect([pathPrefixResolver.kind, pathPrefixResolver.name]).to.deep.equal(['destination-resolver', 'path-prefix']);
  });
});

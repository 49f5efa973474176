import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { Accounts } from '../rbac/accounts.js';
import { seedService } from '../seed.js';
import { RegistryError } from './registry-error.js';
import { RegistryStore } from './registry-store.js';
import type { TenantEvent } from './tenant.js';

describe('the leases of the registry of tests', () => {
  function rig(): { tick: (s: number) => void; registry: RegistryStore; events: TenantEvent[] } {
    const ports = fakePorts();
    const registry = new RegistryStore(ports);
    const events: TenantEvent[] = [];
    registry.onEvent((_, event) => events.push(event));
    return { tick: (s) => ports.time.advance(s * 1_000), registry, events };
  }

  const short = { mode: 'push', interval: 5, times: 3 };

  it('end after interval x (times + 1), with the last that was known', () => {
    const { tick, registry, events } = rig();
    const tenant = registry.tenant();
    const instances = [{ healthCheck: short }, { properties: { a: '1' } }];
    const { serviceId, instanceIds } = seedService(tenant, { serviceName: 'orders', instances });
    const [first = '', second = ''] = instanceIds;
    tick(19.9);
    expect(tenant.instances.count()).to.equal(2);
    tick(0.2);
    expect(tenant.instances.list(serviceId).map(({ instanceId }) => instanceId)).to.deep.equal([second]);
    expect(tenant.instances.renew(serviceId, first)).to.equal(false);
    tick(100);
    expect(tenant.instances.count()).to.equal(0);
    expect(events.map(({ action, instance }) => [action, instance.instanceId])).to.deep.equal([
      ['CREATE', first],
      ['CREATE', second],
      ['DELETE', first],
      ['DELETE', second],
    ]);
    expect(events.at(-1)?.instance.properties).to.deep.equal({ a: '1' });
  });

  it('are renewed by heartbeats, also by the registration of an instance that lives', () => {
    const { tick, registry } = rig();
    const tenant = registry.tenant();
    const seed = { serviceName: 'orders', instances: [{ instanceId: 'one', healthCheck: short }] };
    const { serviceId } = seedService(tenant, seed);
    for (let round = 0; round < 5; round++) {
      tick(15);
      if (round % 2 === 0) tenant.instances.renew(serviceId, 'one');
      else seedService(tenant, seed);
    }
    tick(19);
    expect(tenant.instances.count()).to.equal(1);
    tick(2);
    expect(tenant.instances.count()).to.equal(0);
  });

  it('are apart for each tenant, and all gone when the registry forgets, without an event', () => {
    const { tick, registry, events } = rig();
    const instances = [{ instanceId: 'one', healthCheck: short }];
    for (const name of ['default/default', 'other/default']) {
      seedService(registry.tenant(name), { serviceName: 'orders', instances });
    }
    registry
      .tenant('other/default')
      .instances.remove(registry.tenant('other/default').services.list()[0]!.serviceId, 'one');
    expect(registry.tenant().instances.count()).to.equal(1);
    const told = events.length;
    registry.forget();
    tick(1_000);
    expect(events.length).to.equal(told);
    expect(registry.tenant().services.list()).to.deep.equal([]);
  });
});

describe('the tokens of the registry of tests', () => {
  function codeOf(action: () => unknown): number | undefined {
    try {
      action();
      return undefined;
    } catch (error) {
      return error instanceof RegistryError ? error.code : -1;
    }
  }

  it('live as long as was asked for, and end all at once when a test says so', () => {
    const ports = fakePorts();
    const accounts = new Accounts({ rootPassword: 'secret' }, ports);
    const header = `Bearer ${accounts.login('root', 'secret', '15m')}`;
    const longer = `Bearer ${accounts.login('root', 'secret')}`;
    ports.time.advance(15 * 60_000 - 1_000);
    accounts.check(header);
    ports.time.advance(1_000);
    expect(codeOf(() => accounts.check(header))).to.equal(401205);
    accounts.check(longer);
    accounts.expireTokens();
    expect(codeOf(() => accounts.check(longer))).to.equal(401205);
    accounts.check(`Bearer ${accounts.login('root', 'secret')}`);
  });

  it('are refused when anything in them was changed', () => {
    const accounts = new Accounts({ rootPassword: 'secret' }, fakePorts());
    const [head, , signature] = accounts.login('root', 'secret').split('.');
    const claims = Buffer.from('{"account":"root","exp":9999999999}').toString('base64url');
    expect(codeOf(() => accounts.check(`Bearer ${head}.${claims}.${signature}`))).to.equal(401201);
    expect(codeOf(() => accounts.check('Basic abc'))).to.equal(401201);
    expect(codeOf(() => accounts.check(undefined))).to.equal(401204);
  });

  it('are given again 15 minutes after an account was blocked', () => {
    const ports = fakePorts();
    const accounts = new Accounts({ rootPassword: 'secret' }, ports);
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(codeOf(() => accounts.login('root', 'guess'))).to.equal(401202);
    }
    expect(codeOf(() => accounts.login('root', 'secret'))).to.equal(403201);
    ports.time.advance(15 * 60_000);
    accounts.login('root', 'secret');
  });
});

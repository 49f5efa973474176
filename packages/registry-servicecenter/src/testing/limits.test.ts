import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { idsOf, RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import { ServiceCenterServer, type Asked } from './index.js';
import { RegistryError } from './store/registry-error.js';
import { RegistryStore } from './store/registry-store.js';
import { seedService } from './seed.js';

const SHORT = { mode: 'push', interval: 5, times: 3 };
/** Of that health check, in seconds. */
const LEASE_S = 20;

const isRegistration = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/instances');

describe('the self-preservation of the registry of tests', () => {
  function rig(
    count: number,
    selfPreservation = true,
  ): { tick: (s: number) => void; registry: RegistryStore; serviceId: string; gone: string[] } {
    const ports = fakePorts();
    const registry = new RegistryStore(ports, { selfPreservation });
    const gone: string[] = [];
    registry.onEvent((_, { action, instance }) => action === 'DELETE' && gone.push(instance.instanceId));
    const instances = Array.from({ length: count }, (_, at) => ({ instanceId: `i${at}`, healthCheck: SHORT }));
    const { serviceId } = seedService(registry.tenant(), { serviceName: 'orders', instances });
    return { tick: (s) => ports.time.advance(s * 1_000), registry, serviceId, gone };
  }

  it('lists instances for another lease when nearly all are lost together, and takes no heartbeat of them', () => {
    const { tick, registry, serviceId, gone } = rig(6);
    const { instances } = registry.tenant();
    tick(LEASE_S - 1);
    instances.renew(serviceId, 'i0');
    tick(3);
    expect([instances.count(), gone]).to.deep.equal([6, []]);
    expect(instances.renew(serviceId, 'i1')).to.equal(false);
    instances.register(serviceId, '1.0.0', {
      ...{ instanceId: 'i1', hostName: 'h', status: 'UP', healthCheck: SHORT },
    });
    tick(LEASE_S - 4);
    for (const id of ['i0', 'i1']) instances.renew(serviceId, id);
    tick(5);
    expect(gone.sort()).to.deep.equal(['i2', 'i3', 'i4', 'i5']);
    expect(
      instances
        .list(serviceId)
        .map(({ instanceId }) => instanceId)
        .sort(),
    ).to.deep.equal(['i0', 'i1']);
  });

  it('believes that few are gone, that fewer than most are gone, and everything when it is off', () => {
    for (const { count, kept, preserves } of [
      { count: 5, kept: 0, preserves: true },
      { count: 10, kept: 3, preserves: true },
      { count: 10, kept: 0, preserves: false },
    ]) {
      const { tick, registry, serviceId, gone } = rig(count, preserves);
      tick(LEASE_S - 1);
      for (let at = 0; at < kept; at++) registry.tenant().instances.renew(serviceId, `i${at}`);
      tick(3);
      expect(gone).to.have.length(count - kept);
      expect(registry.tenant().instances.count()).to.equal(kept);
    }
  });

  it('ends with the registry, and leaves no timer behind', () => {
    const { tick, registry, gone } = rig(6);
    tick(LEASE_S + 0.5);
    registry.close();
    tick(1_000);
    expect(gone).to.deep.equal([]);
  });
});

describe('the quotas of the registry of tests', () => {
  const codeOf = (work: () => unknown): number | undefined => {
    try {
      work();
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
    return undefined;
  };

  it('refuse what is one too many with 400100, and nothing that is there already', () => {
    const registry = new RegistryStore(fakePorts(), { quotas: { services: 2, instances: 2, schemas: 1 } });
    const tenant = registry.tenant();
    const instances = [{ instanceId: 'a' }, { instanceId: 'b' }];
    const { serviceId } = seedService(tenant, { serviceName: 'one', instances });
    seedService(tenant, { serviceName: 'two' });
    for (const again of [
      () => seedService(tenant, { serviceName: 'one', instances: [{ instanceId: 'a' }] }),
      () => tenant.services.putSchemas(serviceId, [{ schemaId: 's', summary: '', schema: '' }], '0'),
      () => tenant.services.putSchemas(serviceId, [{ schemaId: 's', summary: '', schema: 'x' }], '0'),
    ]) {
      expect(codeOf(again)).to.equal(undefined);
    }
    for (const more of [
      () => seedService(tenant, { serviceName: 'three' }),
      () => seedService(tenant, { serviceName: 'two', instances: [{}] }),
      () => tenant.services.putSchemas(serviceId, [{ schemaId: 't', summary: '', schema: '' }], '0'),
    ]) {
      expect(codeOf(more)).to.equal(400100);
    }
  });
});

describe('a client of a service-center with limits', () => {
  const closing: (() => Promise<unknown>)[] = [];

  async function open(center: ServiceCenterServer, more: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, ...more });
    closing.push(async () => {
      await rig.close();
      await center.close();
    });
    return rig;
  }

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it('waits for room when the quota is used up, and says what to do', async () => {
    const center = await ServiceCenterServer.start({ quotas: { instances: 1 } });
    const other = { serviceName: 'other', instances: [{ instanceId: 'a' }] };
    const { serviceId } = center.seed(other);
    const rig = await open(center);
    const lease = rig.register();
    await center.untilAsked(isRegistration, 2);
    expect(rig.registry.discovery.state().problems.join()).to.contain('raise the quota');
    center.registry.tenant('default/default').instances.remove(serviceId, 'a');
    await lease;
  });

  it('may find and not register when its account may only read, and says which setting it is', async () => {
    const center = await ServiceCenterServer.start({
      rbac: { rootPassword: 'Complicated-1', accounts: { reader: 'Complicated-2' }, verbs: { reader: ['get'] } },
    });
    center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances: [{ instanceId: 'a' }] });
    const yaml = 'servicecomb.credentials.account: { name: reader, password: Complicated-2 }\n';
    const rig = await open(center, { yaml });
    const lease = rig.register().catch(() => {});
    expect(idsOf(await rig.watch('world').next())).to.deep.equal(['a']);
    await center.untilAsked(({ method, path }) => method === 'POST' && path.endsWith('/microservices'), 2);
    expect(rig.registry.discovery.state().problems.join())
      .to.contain('403205')
      .and.contain('service:create')
      .and.contain('servicecomb.credentials.account');
    await rig.close();
    await lease;
  });
});

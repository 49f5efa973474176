import { expect } from 'chai';
import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import type { Subset } from '../routing/subset.js';
import { ITEMS_PER_SLICE } from '../slices/slices.js';
import { directoryRig } from '../testing/directory-rig.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { httpInstance, instanceAt } from '../testing/instances.js';
import type { ServiceSnapshot } from './contracts.js';
import type { Endpoint } from './endpoint.js';
import type { Instance, InstanceAddress } from './instance.js';
import { buildingIpIndex } from './ip-index.js';
import { ServicePlan } from './service-plan.js';

const COUNT = 10_000;

const hostOf = (index: number): string => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;

function fleet(count = COUNT, first = 0): Instance[] {
  return Array.from({ length: count }, (_, index) => httpInstance(`${hostOf(first + index)}:80`));
}

function snapshot(revision: string, instances: readonly Instance[]): ServiceSnapshot {
  return { service: 'world', exists: true, revision, instances };
}

/** A list that notes how many of its items are looked at. */
function counted<T>(items: readonly T[]): { readonly list: readonly T[]; taken: () => number } {
  let looks = 0;
  const list = new Proxy(items, {
    get: (target, name) => {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++;
      return Reflect.get(target, name) as unknown;
    },
  });
  const taken = (): number => {
    const seen = looks;
    looks = 0;
    return seen;
  };
  return { list, taken };
}

describe('a snapshot of ten thousand instances', () => {
  let retired: Endpoint[];
  let plan: ServicePlan;

  beforeEach(() => {
    retired = [];
    const ports = fakePorts();
    plan = new ServicePlan('world', ports, steadyBalancing(ports), (endpoint) => retired.push(endpoint));
  });

  it('is taken in steps that each look at no more than a slice of it', () => {
    const { list, taken } = counted(fleet());
    const steps = plan.applying(snapshot('a', list), 0);
    let count = 0;
    for (let isOver = false; !isOver; count++) {
      isOver = steps.next().done === true;
      expect(taken()).to.be.at.most(ITEMS_PER_SLICE + 2);
    }
    expect(count).to.be.within((2 * COUNT) / ITEMS_PER_SLICE - 2, (2 * COUNT) / ITEMS_PER_SLICE + 2);
    // Nothing is left to be compiled by the first call.
    expect(plan.pick(new FakeCall(), undefined)?.port).to.equal(80);
    expect(taken()).to.equal(0);
  });

  it('leaves calls with the one before until its last step', () => {
    const before = fleet();
    plan.apply(snapshot('a', before), 0);
    const after = [...before.slice(1), httpInstance('10.9.9.9:80')];
    const endpoints = plan.candidates('http').endpoints;
    const [first] = endpoints;
    const steps = plan.applying(snapshot('b', after), 5);
    while (steps.next().done !== true) {
      expect(plan.candidates('http').endpoints).to.equal(endpoints);
      expect(plan.snapshot?.revision).to.equal('a');
      expect(retired).to.deep.equal([]);
    }
    expect(plan.snapshot?.revision).to.equal('b');
    expect(retired).to.deep.equal([first]);
    const now = plan.candidates('http').endpoints;
    expect([now.length, now.at(-1)?.key, now[0]]).to.deep.equal([COUNT, '10.9.9.9:80', endpoints[1]]);
  });

  it('is compiled ahead for the parts that calls use, and not for those that nobody asks for any more', () => {
    let selected = 0;
    const partOf = (name: string): Subset => ({
      name,
      whenEmpty: 'fail',
      select: (instances) => {
        selected++;
        return instances.slice(0, 10);
      },
    });
    const [used, unused] = [partOf('used'), partOf('unused')];
    plan.apply(snapshot('a', fleet()), 0);
    plan.candidates('http', used).pick(new FakeCall(), undefined);
    plan.candidates('http', unused);
    expect(selected).to.equal(2);
    plan.apply(snapshot('b', fleet(COUNT, 1)), 0);
    expect(selected).to.equal(3);
    expect(plan.candidates('http', used).endpoints).to.have.length(10);
    expect(selected).to.equal(3);
  });

  it('that speaks gRPC alone is compiled ahead for gRPC', () => {
    const list = Array.from({ length: COUNT }, (_, index) => instanceAt({ grpc: `${hostOf(index)}:90` }));
    const seen = counted(list);
    plan.apply(snapshot('a', seen.list), 0);
    seen.taken();
    expect(plan.candidates('grpc').endpoints).to.have.length(COUNT);
    expect(seen.taken()).to.equal(0);
  });

  it('costs next to nothing where the instances kept their objects', () => {
    let looks = 0;
    class WatchedAddresses extends Map<string, InstanceAddress> {
      override [Symbol.iterator](): ReturnType<Map<string, InstanceAddress>['entries']> {
        looks++;
        return super[Symbol.iterator]();
      }
    }
    const instances = fleet().map((one) => ({ ...one, addresses: new WatchedAddresses(one.addresses.entries()) }));
    plan.apply(snapshot('a', instances), 0);
    expect(looks).to.equal(COUNT);
    const first = instances[0] as Instance;
    const changed = [{ ...first, addresses: new Map(first.addresses) }, ...instances.slice(1)];
    looks = 0;
    plan.apply(snapshot('b', changed), 0);
    // The one that is not there any more, to take its address back.
    expect(looks).to.equal(1);
    expect(retired).to.deep.equal([]);
  });

  it('is indexed by address in steps', () => {
    const { list, taken } = counted(fleet());
    const steps = buildingIpIndex(list);
    for (;;) {
      const { done, value } = steps.next();
      expect(taken()).to.be.at.most(ITEMS_PER_SLICE + 2);
      if (done !== true) continue;
      expect(value.byIp('10.0.1.2')?.instanceId).to.equal('10.0.1.2:80');
      return;
    }
  });

  it('reaches those who wait for the first answer, and the index of addresses', async () => {
    const { directory, discovery } = directoryRig();
    discovery.publish('world', fleet());
    discovery.publishAll(fleet());
    await Promise.all([directory.whenKnown('world'), directory.followAll()]);
    expect(directory.plan('world')?.state).to.equal('known');
    expect(directory.ipIndex.byIp('10.0.1.2')?.service).to.equal('world');
    directory.close();
  });

  it('leaves nothing behind when the service is given up meanwhile', async () => {
    const { directory, discovery } = directoryRig();
    discovery.publish('world', fleet());
    const given: Endpoint[] = [];
    directory.onRetired((endpoint) => given.push(endpoint));
    const gone = directory.plan('world') as ServicePlan;
    await new Promise((resolve) => setImmediate(resolve));
    directory.close();
    while (gone.state === 'pending') await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([...gone.endpoints]).to.deep.equal([]);
  });
});

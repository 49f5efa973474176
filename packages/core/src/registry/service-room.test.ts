import { expect } from 'chai';
import { FakeCall } from '../testing/fake-call.js';
import { settle } from '../testing/fake-ports.js';
import { httpInstance } from '../testing/instances.js';
import type { ServicePlan } from './service-plan.js';
import { directoryRig as rig } from '../testing/directory-rig.js';

function hosts(plan: ServicePlan | undefined): string[] {
  return (plan as ServicePlan).candidates('http').endpoints.map(({ host }) => host);
}

describe('giving up services', () => {
  it('happens after idleTtl without a call, retires the endpoints and ends the watch', async () => {
    const { directory, discovery, time, retired } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const plan = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    hosts(plan);
    await time.advanceAsync(50_000, 10_000);
    expect(directory.plans).to.have.lengthOf(1);
    await time.advanceAsync(10_000);
    expect(directory.plans).to.have.lengthOf(0);
    expect([retired.length, discovery.running('world')]).to.deep.equal([1, 0]);
  });

  it('happens after absentTtl for a name that the registry does not know', async () => {
    const { directory, discovery, time } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    directory.plan('wrold');
    discovery.publishAbsent('wrold');
    await time.advanceAsync(10_000);
    expect(directory.plans).to.have.lengthOf(0);
    expect(discovery.running('wrold')).to.equal(0);
  });

  it('does not happen while a call is under way, however long it takes', async () => {
    const { directory, discovery, time, retired } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const plan = directory.plan('world') as ServicePlan;
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    plan.calls = 1;
    hosts(plan);
    await time.advanceAsync(600_000, 10_000);
    expect(directory.plan('world')).to.equal(plan);
    expect(retired).to.deep.equal([]);
    plan.calls = 0;
    plan.lastUsedAt = time.now();
    await time.advanceAsync(50_000, 10_000);
    expect(directory.plan('world')).to.equal(plan);
    await time.advanceAsync(10_000);
    expect(directory.plans).to.deep.equal([]);
  });

  it('makes the next call watch again, with new endpoints', async () => {
    const { directory, discovery, time } = rig({ idleTtl: 60_000, absentTtl: 10_000 });
    const before = directory.plan('world');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await settle();
    const [endpoint] = before?.candidates('http').endpoints ?? [];
    await time.advanceAsync(60_000, 10_000);
    const after = directory.plan('world');
    await settle();
    expect(after).to.not.equal(before);
    expect(after?.pick(new FakeCall(), undefined)?.key).to.equal(endpoint?.key);
    expect(after?.pick(new FakeCall(), undefined)).to.not.equal(endpoint);
  });
});

describe('room for services', () => {
  it('is made by names that the registry does not know, oldest first, so that they never shut out a real one', async () => {
    const { directory, discovery } = rig({ maxServices: 3 });
    directory.plan('made-up-1');
    directory.plan('made-up-2');
    discovery.publishAbsent('made-up-1');
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    const world = directory.plan('world') as ServicePlan;
    await settle();
    for (let i = 3; i < 100; i++) {
      expect(directory.plan(`made-up-${i}`)?.state).to.equal('pending');
    }
    expect(directory.plan('world')).to.equal(world);
    const hello = directory.plan('hello');
    expect(hello?.service).to.equal('hello');
    expect(directory.plans.map(({ service }) => service)).to.have.members(['world', 'made-up-99', 'hello']);
    await settle();
    expect([discovery.running('made-up-1'), discovery.running('world')]).to.deep.equal([0, 1]);
  });

  it('is not made by names for which a call waits', async () => {
    const { directory } = rig({ maxServices: 2 });
    const waiting = directory.plan('waiting') as ServicePlan;
    waiting.calls = 1;
    directory.plan('idle');
    directory.plan('another');
    expect(directory.plans.map(({ service }) => service)).to.deep.equal(['waiting', 'another']);
    (directory.plan('another') as ServicePlan).calls = 1;
    expect(directory.plan('one-more')).to.equal(undefined);
    await settle();
  });

  it('is made by a service that ceased to exist', async () => {
    const { directory, discovery } = rig({ maxServices: 1 });
    directory.plan('gone');
    discovery.publish('gone', []);
    await settle();
    expect(directory.plan('world')).to.equal(undefined);
    discovery.publishAbsent('gone');
    await settle();
    expect(directory.plan('world')?.service).to.equal('world');
  });

  it('is made by a real service only after nobody called it for absentTtl, and is looked for once a second', async () => {
    const { directory, discovery, time } = rig({ maxServices: 1, absentTtl: 30_000, idleTtl: 600_000 });
    const world = directory.plan('world') as ServicePlan;
    discovery.publish('world', []);
    await settle();
    time.advance(29_500);
    expect(directory.plan('hello')).to.equal(undefined);
    time.advance(500);
    expect(directory.plan('hello'), 'looked for half a second ago').to.equal(undefined);
    time.advance(500);
    expect(directory.plan('hello')?.service).to.equal('hello');
    expect(directory.plans).to.not.include(world);
  });
});

describe('a closed directory', () => {
  it('has no timer and no watch left', async () => {
    const { directory, discovery, time } = rig();
    directory.plan('world');
    directory.plan('hello');
    void directory.followAll();
    await settle();
    expect(time.pendingTimers).to.be.greaterThan(0);
    directory.close();
    await settle();
    expect(time.pendingTimers).to.equal(0);
    expect([discovery.running('world'), discovery.running('hello'), discovery.running()]).to.deep.equal([0, 0, 0]);
    await time.advanceAsync(120_000, 10_000);
    expect(discovery.begun('world')).to.equal(1);
  });

  it('watches nothing any more, and does not let a call wait', async () => {
    const { directory, discovery, time } = rig();
    directory.close();
    expect(directory.plan('world')?.state).to.equal('pending');
    await directory.whenKnown('world');
    expect([discovery.begun('world'), time.pendingTimers]).to.deep.equal([0, 0]);
  });

  it('that was never asked leaves nothing behind, even unclosed', () => {
    expect(rig().time.pendingTimers).to.equal(0);
  });
});

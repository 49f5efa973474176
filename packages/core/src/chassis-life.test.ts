import { expect } from 'chai';
import type { Rejection } from './errors.js';
import { definePlugin } from './plugin/define-plugin.js';
import { Endpoint } from './registry/endpoint.js';
import { chassisRig, type ChassisRigSettings } from './testing/chassis-rig.js';
import { FakeCall } from './testing/fake-call.js';
import { inFlight, outcome } from './testing/handler-rig.js';
import { httpInstance } from './testing/instances.js';
import { ScriptedRegistrator } from './testing/scripted-registrator.js';

describe('the life of a chassis', () => {
  const SELF = httpInstance('10.0.0.9:30101', { service: 'orders' });

  it('starts with the first list of the registry, registers, leaves, and closes', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    rig.discovery.publishAll([]);
    await chassis.start();
    await chassis.register(SELF);
    expect(rig.registrator.last.self).to.equal(SELF);
    await chassis.leave();
    expect([rig.registrator.last.isReleased, rig.discovery.isClosed]).to.deep.equal([true, false]);
    await chassis.close();
    expect([rig.discovery.isClosed, rig.time.pendingTimers]).to.deep.equal([true, 0]);
  });

  it('does not register when the configuration or the registry says so', async () => {
    const without: readonly ChassisRigSettings[] = [
      { configuration: { 'servicecomb.registry.register': 'manual' } },
      { configuration: { 'servicecomb.registry.registrator.register': 'manual' } },
      { configuration: { 'servicecomb.registry.registrator.disabled': 'true' } },
      { registrator: undefined },
    ];
    for (const settings of without) {
      const rig = await chassisRig(settings);
      const chassis = await rig.create();
      expect(chassis.register(SELF)).to.equal(undefined);
      await chassis.leave();
      await chassis.close();
      expect(rig.registrator.registrations).to.deep.equal([]);
    }
  });

  it('registers once', async () => {
    const chassis = await (await chassisRig()).create();
    await chassis.register(SELF);
    expect(() => chassis.register(SELF)).to.throw('registered its instance already');
    await chassis.close();
  });

  it('ends while the registration is still under way, without hanging and without leaving a registration behind', async () => {
    const silent = new ScriptedRegistrator({ grants: false, heedsSignal: false });
    const rig = await chassisRig({ registrator: silent });
    const chassis = await rig.create();
    void chassis.register(SELF);
    let isClosed = false;
    const closing = chassis.close().then(() => (isClosed = true));
    await rig.time.advanceAsync(4_999);
    expect(isClosed).to.equal(false);
    await rig.time.advanceAsync(1);
    await closing;
    expect([rig.time.pendingTimers, rig.discovery.isClosed]).to.deep.equal([0, true]);
    silent.last.grant();
    await rig.time.advanceAsync(0);
    expect(silent.last.isReleased).to.equal(true);
  });

  it('takes its leave timeout from the configuration', async () => {
    const rig = await chassisRig({ configuration: { 'mesher.registration.leaveTimeout': '100ms' } });
    const chassis = await rig.create();
    await chassis.register(SELF);
    rig.registrator.last.holdsRelease = true;
    const leaving = chassis.leave();
    await rig.time.advanceAsync(100);
    await leaving;
    await chassis.close();
  });

  it('leaves when it is closed without having left', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    await chassis.register(SELF);
    await chassis.close();
    expect(rig.registrator.last.isReleased).to.equal(true);
  });

  it('leaves no timer when it is closed in the middle of everything, and lets go of calls that wait', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    const started = chassis.start();
    const call = new FakeCall();
    const verdict = chassis.outbound.begin(call);
    rig.discovery.refuse(new Error('down'));
    rig.discovery.fail();
    await rig.time.advanceAsync(1);
    expect(rig.time.pendingTimers).to.be.greaterThan(1);
    await chassis.close();
    await started;
    expect(((await verdict) as Rejection).code).to.equal('MESH_ERR_REGISTRY_UNAVAILABLE');
    chassis.outbound.end(call, outcome({ status: 503, code: 'MESH_ERR_REGISTRY_UNAVAILABLE' }));
    expect(rig.time.pendingTimers).to.equal(0);
    expect(Object.values(inFlight(chassis.metrics, 'outbound'))).to.deep.equal([0]);
  });

  it('closes the stores of shared limits, and lets them count calls until then', async () => {
    const taken: string[] = [];
    const store = definePlugin({
      kind: 'shared-limiter',
      name: 'memory',
      create: () => ({
        take: ({ key }, count) => {
          taken.push(key);
          return Promise.resolve({ granted: count, remaining: 0, retryAfterMs: 0 });
        },
        close: () => {
          taken.push('closed');
          return Promise.resolve();
        },
      }),
    });
    const rig = await chassisRig({
      plugins: [store],
      configuration: {
        'cse.flowcontrol.Consumer.qps.limit.world': '5',
        'cse.flowcontrol.Consumer.qps.shared.world': 'memory',
      },
    });
    const chassis = await rig.create();
    const verdict = chassis.outbound.begin(new FakeCall());
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    expect(await verdict).to.be.instanceOf(Endpoint);
    await chassis.close();
    expect(taken).to.deep.equal(['default/orders/Consumer/world', 'closed']);
  });

  it('asks the stores of shared limits from its start to its end, and leaves no timer for one that does not answer', async () => {
    const asked: number[] = [];
    const store = definePlugin({
      kind: 'shared-limiter',
      name: 'memory',
      create: () => ({
        take: (_limit, count) => {
          asked.push(count);
          return Promise.reject(new Error('connection refused'));
        },
        close: () => Promise.resolve(),
      }),
    });
    const rig = await chassisRig({
      plugins: [store],
      configuration: {
        'cse.flowcontrol.Provider.qps.limit.world': '5',
        'cse.flowcontrol.Provider.qps.shared.world': 'memory',
      },
    });
    const chassis = await rig.create();
    expect(asked).to.deep.equal([]);
    rig.discovery.publishAll([]);
    await chassis.start();
    expect(asked).to.deep.equal([0]);
    await rig.time.advanceAsync(1000);
    expect(asked).to.deep.equal([0, 0]);
    await chassis.close();
    expect(rig.time.pendingTimers).to.equal(0);
  });

  it('closes once, however often it is told to', async () => {
    const chassis = await (await chassisRig()).create();
    expect(chassis.close()).to.equal(chassis.close());
    await chassis.close();
  });

  it('passes on what the registry throws while it is closed, after everything else was closed', async () => {
    const rig = await chassisRig();
    rig.discovery.close = () => Promise.reject(new Error('disk full'));
    const chassis = await rig.create();
    void chassis.outbound.begin(new FakeCall());
    expect(await chassis.close().catch((error: Error) => error.message)).to.equal('disk full');
    expect(rig.time.pendingTimers).to.equal(0);
  });
});

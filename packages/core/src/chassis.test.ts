import { expect } from 'chai';
import type { Chassis } from './chassis.js';
import type { Rejection } from './errors.js';
import type { Endpoint } from './registry/endpoint.js';
import { chassisRig } from './testing/chassis-rig.js';
import { FakeCall } from './testing/fake-call.js';
import { outcome, place } from './testing/handler-rig.js';
import { httpInstance } from './testing/instances.js';

async function callOnce(chassis: Chassis, authority: string): Promise<Endpoint | Rejection> {
  const call = new FakeCall({ authority });
  const verdict = await place(chassis.outbound, call);
  chassis.outbound.end(call, outcome());
  return verdict;
}

describe('a chassis', () => {
  it('decides about calls both ways', async () => {
    const rig = await chassisRig({ servicePorts: [{ protocol: 'rest', port: 8080 }] });
    const chassis = await rig.create();
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    expect(((await callOnce(chassis, 'world')) as Endpoint).key).to.equal('10.0.0.1:80');
    const inbound = new FakeCall({ direction: 'inbound' });
    expect(((await place(chassis.inbound, inbound)) as Endpoint).key).to.equal('127.0.0.1:8080');
    await chassis.close();
  });

  it('decides about calls before it is started', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    expect(((await callOnce(chassis, 'world')) as Endpoint).key).to.equal('10.0.0.1:80');
    expect(rig.discovery.begun()).to.equal(0);
    await chassis.close();
  });

  it('says which registry it uses, and why', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    expect(rig.logger.messages('info')).to.deep.equal([
      'registry: scripted, because servicecomb.registry.type is scripted',
    ]);
    expect(chassis.registryChoice.type).to.equal('scripted');
    await chassis.close();
  });

  it('knows nobody when the registry is switched off, and says so at once', async () => {
    const rig = await chassisRig({ configuration: { 'servicecomb.registry.disabled': 'true' } });
    const chassis = await rig.create();
    expect(((await callOnce(chassis, 'world')) as Rejection).code).to.equal('MESH_ERR_NO_ROUTE');
    await chassis.start();
    expect(chassis.register(httpInstance('10.0.0.9:80'))).to.equal(undefined);
    await chassis.close();
  });

  for (const key of ['serviceDiscovery.disabled', 'discovery.disabled']) {
    it(`only registers when servicecomb.registry.${key} is set`, async () => {
      const rig = await chassisRig({ configuration: { [`servicecomb.registry.${key}`]: 'true' } });
      const chassis = await rig.create();
      rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
      expect(((await callOnce(chassis, 'world')) as Rejection).code).to.equal('MESH_ERR_NO_ROUTE');
      await chassis.register(httpInstance('10.0.0.9:80'));
      expect(rig.registrator.registrations).to.have.lengthOf(1);
      await chassis.close();
      expect(rig.discovery.isClosed).to.equal(true);
    });
  }

  it('tells of handlers without effect aloud only when the configuration names them', async () => {
    const silent = await chassisRig();
    await (await silent.create()).close();
    expect(silent.logger.messages('info')).to.have.lengthOf(1);
    const named = await chassisRig({
      configuration: { 'servicecomb.handler.chain.Provider.incoming': 'access-log,transport' },
    });
    await (await named.create()).close();
    const line = named.logger.lines.findLast(
      ({ message }) => message === 'handlers that have no effect in this version',
    );
    expect(named.logger.messages('info')).to.have.lengthOf(2);
    expect(line?.fields).to.deep.equal({ handlers: ['access-log'] });
  });
});

describe('two chassis in one process', () => {
  it('share nothing: neither registry, nor services, nor numbers, nor marks', async () => {
    const [one, two] = [await chassisRig(), await chassisRig()];
    const [first, second] = [await one.create(), await two.create()];
    one.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    two.discovery.publish('world', [httpInstance('10.0.0.2:80')]);
    expect(((await callOnce(first, 'world')) as Endpoint).key).to.equal('10.0.0.1:80');
    expect(first.metrics.slotCount).to.equal(1);
    expect(second.metrics.slotCount).to.equal(0);
    expect(second.directory.plans).to.deep.equal([]);
    expect(((await callOnce(second, 'world')) as Endpoint).key).to.equal('10.0.0.2:80');
    const call = new FakeCall({ authority: 'world' });
    await place(first.outbound, call);
    // The mark of the first one is no loop for the second.
    const next = call.forwarded({ direction: 'outbound' });
    expect(((await place(second.outbound, next)) as Endpoint).key).to.equal('10.0.0.2:80');
    await first.close();
    await second.close();
  });

  it('of one document and one catalog share nothing either, and one goes on when the other is closed', async () => {
    const rig = await chassisRig();
    const [first, second] = [await rig.create(), await rig.create()];
    expect(first.outbound).to.not.equal(second.outbound);
    expect(first.directory).to.not.equal(second.directory);
    expect(first.metrics).to.not.equal(second.metrics);
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    await callOnce(first, 'world');
    await callOnce(second, 'world');
    first.directory.close();
    expect(((await callOnce(second, 'world')) as Endpoint).key).to.equal('10.0.0.1:80');
    rig.discovery.publish('world', [httpInstance('10.0.0.2:80')]);
    await rig.time.advanceAsync(1);
    expect(((await callOnce(second, 'world')) as Endpoint).key).to.equal('10.0.0.2:80');
    await first.close();
    await second.close();
    expect(rig.time.pendingTimers).to.equal(0);
  });
});

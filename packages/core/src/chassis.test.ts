import { expect } from 'chai';
import type { Chassis } from './chassis.js';
import { isMeshError, type Rejection } from './errors.js';
import { definePlugin, type AnyPlugin } from './plugin/define-plugin.js';
import { s } from './config/schema/combinators.js';
import type { Endpoint } from './registry/endpoint.js';
import { chassisRig, type ChassisRigSettings } from './testing/chassis-rig.js';
import { FakeCall } from './testing/fake-call.js';
import { inFlight, outcome, place } from './testing/handler-rig.js';
import { httpInstance } from './testing/instances.js';
import { ScriptedRegistrator } from './testing/scripted-registrator.js';

/** The error with which a chassis cannot be made; fails unless everything that was opened is closed again. */
async function refusal(settings: ChassisRigSettings): Promise<Error & { readonly code?: string }> {
  const rig = await chassisRig(settings);
  try {
    await rig.create();
  } catch (error) {
    expect(rig.time.pendingTimers, 'timers').to.equal(0);
    expect(rig.discovery.isClosed, 'the registry').to.equal(true);
    return error as Error;
  }
  return expect.fail('it was made');
}

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
      configuration: { 'servicecomb.handler.chain.Provider.incoming': 'ratelimiter-provider,transport' },
    });
    await (await named.create()).close();
    const line = named.logger.lines.find(({ message }) => message === 'handlers that have no effect in this version');
    expect(named.logger.messages('info')).to.have.lengthOf(2);
    expect(line?.fields).to.deep.equal({ handlers: ['router', 'ratelimiter-consumer', 'bizkeeper-consumer'] });
  });
});

describe('the plugins of a chassis', () => {
  const fixed = (name: string, service: string): AnyPlugin =>
    definePlugin({ kind: 'destination-resolver', name, create: () => ({ resolve: () => ({ service }) }) });

  it('are chosen by protocol', async () => {
    const rig = await chassisRig({
      plugins: [fixed('a', 'service-a'), fixed('b', 'service-b'), fixed('c', 'service-c')],
      configuration: {
        'plugin.destinationResolver.http': 'a',
        'plugin.destinationResolver.grpc': 'b',
        'plugin.destinationResolver.tcp': 'c',
      },
    });
    const chassis = await rig.create();
    const found: (string | undefined)[] = [];
    for (const protocol of ['http', 'grpc', 'tcp'] as const) {
      const call = new FakeCall({ protocol });
      void chassis.outbound.begin(call);
      found.push(call.destination?.service);
    }
    expect(found).to.deep.equal(['service-a', 'service-b', 'service-c']);
    await chassis.close();
  });

  it('that do not exist stop the start with the key and the known names', async () => {
    for (const protocol of ['http', 'grpc', 'tcp']) {
      const error = await refusal({ configuration: { [`plugin.destinationResolver.${protocol}`]: 'hots' } });
      expect(error.code).to.equal('MESH_ERR_UNKNOWN_PLUGIN');
      expect(error.message).to.contain(
        `plugin.destinationResolver.${protocol}: there is no destination-resolver 'hots'`,
      );
      expect(error.message).to.contain('authority, host, ip');
    }
    const source = await refusal({ configuration: { 'plugin.sourceResolver': 'nobody' } });
    expect(source.message).to.contain("plugin.sourceResolver: there is no source-resolver 'nobody'; known are default");
  });

  it('include the registry; one that is not installed stops the start with the reason why it was chosen', async () => {
    const rig = await chassisRig({ configuration: { 'servicecomb.registry.type': 'servicecenter' } });
    const error = await rig.create().catch((caught: unknown) => caught);
    expect(isMeshError(error, 'MESH_ERR_UNKNOWN_PLUGIN')).to.equal(true);
    expect((error as Error).message).to.match(
      /^servicecomb\.registry\.type is servicecenter: there is no registry 'servicecenter'; known are scripted/,
    );
  });

  it('get their settings and what they may use of the chassis', async () => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      kind: 'destination-resolver',
      name: 'prefixed',
      configSchema: s.object({ prefix: s.string({ default: '/', doc: 'Prefix.' }) }),
      create: async (config, { confDir, registryAddresses }) => {
        await Promise.resolve();
        seen.push(config, confDir, registryAddresses);
        return { resolve: () => undefined };
      },
    });
    const rig = await chassisRig({
      plugins: [plugin],
      configuration: {
        'plugin.destinationResolver.http': 'prefixed',
        'plugin.settings.prefixed.prefix': '/api',
        'servicecomb.registry.address': './disco,./more',
      },
    });
    const chassis = await rig.create();
    expect(seen).to.deep.equal([{ prefix: '/api' }, 'conf', ['./disco', './more']]);
    await chassis.close();
  });

  it('see the IP index fill although they are made before it', async () => {
    const rig = await chassisRig();
    const chassis = await rig.create();
    const index = rig.contexts[0]?.ipIndex;
    expect(index?.byIp('10.0.0.1')).to.equal(undefined);
    rig.discovery.publishAll([httpInstance('10.0.0.1:80')]);
    await chassis.start();
    expect(index?.byIp('10.0.0.1')?.service).to.equal('world');
    const peer = { remoteAddress: '10.0.0.1', header: () => undefined };
    expect(chassis.sources.map((source) => source.identify(peer))).to.deep.equal([{ service: 'world', by: 'ip' }]);
    await chassis.close();
  });

  it('that throw while they are made stop the start, and the registry is closed again', async () => {
    const broken = definePlugin({
      kind: 'destination-resolver',
      name: 'broken',
      create: () => {
        throw new Error('no licence');
      },
    });
    const error = await refusal({ plugins: [broken], configuration: { 'plugin.destinationResolver.tcp': 'broken' } });
    expect(error.message).to.equal('no licence');
  });
});

describe('a chassis that cannot be made', () => {
  it('because a chain names an unknown handler leaves nothing open', async () => {
    for (const chain of ['Consumer.outgoing', 'Provider.incoming']) {
      const error = await refusal({ configuration: { [`servicecomb.handler.chain.${chain}`]: 'router,loadbalancer' } });
      expect(error.code).to.equal('MESH_ERR_UNKNOWN_HANDLER');
      expect(error.message).to.contain(`servicecomb.handler.chain.${chain} names the handler 'loadbalancer'`);
    }
  });

  it("because a service port is one of Mesher's own leaves nothing open", async () => {
    const error = await refusal({
      servicePorts: [{ protocol: 'rest', port: 30101 }],
      isOwnPort: (port) => port === 30101,
    });
    expect(error.code).to.equal('MESH_ERR_USAGE');
  });
});

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

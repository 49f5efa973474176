import { expect } from 'chai';
import { isMeshError } from './errors.js';
import { definePlugin, type AnyPlugin } from './plugin/define-plugin.js';
import { s } from './config/schema/combinators.js';
import { chassisRig, type ChassisRigSettings } from './testing/chassis-rig.js';
import { FakeCall } from './testing/fake-call.js';
import { httpInstance } from './testing/instances.js';

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

  for (const key of ['serviceDiscovery.address', 'registrator.address']) {
    it(`are given the addresses of servicecomb.registry.${key} when there is no other`, async () => {
      const rig = await chassisRig({ configuration: { [`servicecomb.registry.${key}`]: './disco,./more' } });
      const chassis = await rig.create();
      expect(rig.contexts[0]?.registryAddresses).to.deep.equal(['./disco', './more']);
      await chassis.close();
    });
  }

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

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CHASSIS_SECTIONS,
  Chassis,
  PluginCatalog,
  Rejection,
  definePlugin,
  isMeshError,
  loadConfiguration,
  type Destination,
  type MeshDocument,
} from '@mesher/core';
import { FakeCall, ScriptedDiscovery, fakePorts, httpInstance } from '@mesher/core/testing';
import { expect } from 'chai';
import { authorityResolver, hostResolver, ipResolver, sourceResolver } from './index.js';

/** A chassis as the sidecar makes it, with the resolvers that the configuration chooses. */
async function chassisWith(
  choices: Readonly<Record<string, string>>,
): Promise<{ readonly chassis: Chassis; readonly discovery: ScriptedDiscovery }> {
  const discovery = new ScriptedDiscovery();
  const catalog = new PluginCatalog();
  for (const plugin of [hostResolver, authorityResolver, ipResolver, sourceResolver]) catalog.add(plugin);
  catalog.add(
    definePlugin({ kind: 'registry', name: 'scripted', create: () => ({ discovery, registrator: undefined }) }),
  );
  const confDir = join(tmpdir(), 'there-is-no-such-folder');
  const { document } = await loadConfiguration({
    confDir,
    env: {},
    overrides: { 'servicecomb.service.name': 'orders', 'servicecomb.registry.type': 'scripted', ...choices },
    sections: CHASSIS_SECTIONS,
  });
  const chassis = await Chassis.create({ document: document as MeshDocument, confDir, catalog, ports: fakePorts() });
  discovery.publishAll([httpInstance('10.0.0.7:30101', { service: 'world' })]);
  await chassis.start();
  return { chassis, discovery };
}

/** The destination that a call to `authority` was given, or the code with which it was refused. */
function decide(chassis: Chassis, protocol: 'http' | 'grpc' | 'tcp', authority: string): Destination | string {
  const call = new FakeCall({ protocol, authority });
  const verdict = chassis.outbound.begin(call);
  return call.destination ?? (verdict instanceof Rejection ? verdict.code : 'nothing');
}

describe('the resolver plugins in a chassis', () => {
  it('are, unless something else is chosen, host for HTTP, authority for gRPC and ip for the rest', async () => {
    const { chassis } = await chassisWith({});
    expect(decide(chassis, 'http', 'world:8083')).to.deep.equal({ service: 'world', port: 8083 });
    expect(decide(chassis, 'grpc', 'world:9000')).to.deep.equal({ service: 'world', port: 9000 });
    expect(decide(chassis, 'tcp', '10.0.0.7:30101')).to.deep.equal({ service: 'world' });
    expect(decide(chassis, 'http', '10.0.0.7:30101')).to.equal('MESH_ERR_NO_ROUTE');
    await chassis.close();
  });

  it('are chosen per protocol', async () => {
    const { chassis } = await chassisWith({
      'plugin.destinationResolver.http': 'ip',
      'plugin.destinationResolver.tcp': 'host',
    });
    expect(decide(chassis, 'http', '10.0.0.7:30101')).to.deep.equal({ service: 'world' });
    expect(decide(chassis, 'http', 'world')).to.equal('MESH_ERR_NO_ROUTE');
    expect(decide(chassis, 'grpc', 'world')).to.deep.equal({ service: 'world' });
    expect(decide(chassis, 'tcp', 'world')).to.deep.equal({ service: 'world' });
    await chassis.close();
  });

  it('that do not exist stop the start with the list of those that do', async () => {
    const error = await chassisWith({ 'plugin.destinationResolver.grpc': 'hots' }).catch((caught: unknown) => caught);
    expect(isMeshError(error, 'MESH_ERR_UNKNOWN_PLUGIN')).to.equal(true);
    expect((error as Error).message)
      .to.contain('plugin.destinationResolver.grpc')
      .and.contain('authority, host, ip');
  });

  it('include the source resolver, by the name default', async () => {
    const { chassis } = await chassisWith({ 'plugin.sourceResolver': 'default' });
    const peer = { remoteAddress: '10.0.0.7', header: () => undefined };
    expect(chassis.sources.map((source) => source.identify(peer)?.service)).to.deep.equal(['world']);
    await chassis.close();
  });
});

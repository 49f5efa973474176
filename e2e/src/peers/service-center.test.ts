import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { SteadyCalls } from '../support/load.js';
import { useScene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter, type RegisteredInstance } from '../support/service-center.js';

interface RegisteredService {
  readonly serviceId: string;
  readonly serviceName: string;
}

describe('sidecars in a real service-center', function () {
  this.timeout(90_000);
  const scene = useScene();
  let center: ServiceCenter;
  before(function () {
    requireServiceCenter(this);
  });
  beforeEach(async () => {
    center = await ServiceCenter.start(scene());
  });

  async function service(name: string): Promise<RegisteredService | undefined> {
    const { services } = (await center.ask<{ services: RegisteredService[] }>('/registry/microservices')) ?? {};
    return services?.find(({ serviceName }) => serviceName === name);
  }

  async function only(name: string): Promise<RegisteredInstance> {
    return await eventually(`one instance of ${name}`, async () => {
      const [one, another] = await center.instances(name);
      return another === undefined ? one : undefined;
    });
  }

  it('show there what their configuration says of service, contracts and instance', async () => {
    const port = await scene().ports.take();
    const contract = 'swagger: "2.0"\ninfo: { title: worlds, version: "1" }\n';
    await scene().write(`conf-world-${port}/world/schema/worlds.yaml`, contract);
    const { sidecar } = await scene().service('world', {
      port,
      chassis: {
        ...center.settings,
        'servicecomb.registry.uploadSchema': true,
        'servicecomb.service.version': '1.2.3',
        'servicecomb.service.description': 'Says where it is',
        'servicecomb.service.properties': { team: 'maps' },
        'servicecomb.service.instanceProperties': { stage: 'canary' },
        'region.name': 'eu',
        'region.availableZone': 'eu-1',
      },
    });
    const instance = await only('world');
    expect(instance).to.deep.include({
      endpoints: [`rest://${sidecar.inbound ?? ''}`],
      status: 'UP',
      version: '1.2.3',
      healthCheck: { mode: 'push', interval: 5, times: 3 },
      dataCenterInfo: { name: 'eu', region: 'eu', availableZone: 'eu-1' },
    });
    expect(instance.properties).to.include({ stage: 'canary' });
    const registered = await eventually('the service is listed with its contract', async () => {
      const one = await service('world');
      return JSON.stringify(one).includes('"worlds"') ? one : undefined;
    });
    expect(registered).to.deep.include({
      appId: 'default',
      version: '1.2.3',
      description: 'Says where it is',
      registerBy: 'SIDECAR',
    });
    expect(registered).to.have.nested.property('framework.name', 'Mesher');
    expect(registered).to.have.nested.property('properties.team', 'maps');
    const path = `/registry/microservices/${instance.serviceId}/schemas/worlds`;
    const { schema } = await eventually('the contract is there', () => center.ask<{ schema: string }>(path));
    expect(schema).to.equal(contract);
  });

  it('find each other, take what its operators say of an instance, and leave when they stop', async () => {
    // With leases of two minutes nobody leaves by the end of his lease while this test runs.
    const chassis = { ...center.settings, 'servicecomb.registry.heartbeat.interval': '30s' };
    const { sidecar: world } = await scene().service('world', { chassis });
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis });
    expect((await hello.call('http://world/')).status).to.equal(200);

    const { serviceId, instanceId } = await only('world');
    const path = `/v4/default/registry/microservices/${serviceId}/instances/${instanceId}/status?value=OUTOFSERVICE`;
    expect((await fetch(center.url + path, { method: 'PUT' })).status).to.equal(200);
    const refused = await eventually('the caller leaves the instance out', async () => {
      const answer = await hello.call('http://world/');
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.headers['x-mesher-error']).to.equal('MESH_ERR_NO_INSTANCE');

    expect((await world.process.stop()).code).to.equal(0);
    // A node answers from its cache, which follows within seconds.
    const gone = `/registry/microservices/${serviceId}/instances/${instanceId}`;
    await eventually('the instance is gone', async () => (await center.ask(gone)) === undefined);
    await eventually('nothing is listed', async () => (await center.instances('world')).length === 0);
    await hello.process.stop();
    await eventually('the caller is gone', async () => (await center.instances('hello')).length === 0);
  });

  it('hear by the watch of what comes and goes, also after a restart of service-center', async () => {
    // Nobody looks for himself while this test runs.
    const chassis = {
      ...center.settings,
      'servicecomb.registry.watch': true,
      'servicecomb.registry.refreshInterval': '10m',
    };
    const { sidecar: first } = await scene().service('world', { chassis });
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis });
    expect((await hello.call('http://world/')).status).to.equal(200);
    const hears = async (...sidecars: readonly { readonly inbound: string | undefined }[]): Promise<void> => {
      const expected = sidecars.map(({ inbound }) => inbound ?? '').sort();
      await eventually(`the caller knows ${expected.join()}`, async () => {
        return (await hello.instances('world')).sort().join() === expected.join();
      });
    };
    const { sidecar: second } = await scene().service('world', { chassis });
    await hears(first, second);
    await center.kill();
    await center.start();
    await second.process.stop();
    await hears(first);
    const { sidecar: third } = await scene().service('world', { chassis });
    await hears(first, third);
  });

  it('lose one that dies without a word at the end of its lease, and no call before that', async () => {
    const { sidecar: dying } = await scene().service('world', { chassis: center.settings });
    const { sidecar: living } = await scene().service('world', { chassis: center.settings });
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis: center.settings });
    const listed = async (): Promise<string> => (await hello.instances('world')).sort().join();
    expect((await hello.call('http://world/')).status).to.equal(200);
    await eventually('both are found', async () => (await listed()) === [dying.inbound, living.inbound].sort().join());
    const calls = new SteadyCalls('http://world/', hello.outbound, 5);
    await eventually('calls', () => calls.names.length > 50);
    await dying.process.kill();
    // The lease is 20 s, the least that service-center takes: two waits of as long each.
    await eventually('calls go on', () => calls.names.length > 2_000);
    await eventually('the lease ends', async () => (await center.instances('world')).length === 1);
    await eventually('the caller forgets it', async () => (await listed()) === living.inbound);
    await calls.stop();
    expect(calls.failures).to.deep.equal([]);
  });
});

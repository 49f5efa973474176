import { expect } from 'chai';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ServiceCenterServer, type Asked } from '../testing/index.js';

const isHeartbeat = ({ method, path }: Asked): boolean => method === 'PUT' && path.endsWith('/heartbeat');
const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');
const FAILURE = { status: 503, body: '{"errorCode":"503001","errorMessage":"busy"}' };

describe('what happens to the connection with service-center', () => {
  let center: ServiceCenterServer;
  let rig: RegistryRig;

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
    const yaml = 'servicecomb.registry.heartbeat.interval: 5s\n';
    rig = await RegistryRig.open({ address: center.url, yaml, refreshIntervalMs: 20 });
  });

  afterEach(async () => {
    await rig.close();
    await center.close();
  });

  it('is not counted while all is well', async () => {
    await rig.register();
    await rig.watch('nobody').next();
    expect(rig.registry.discovery.state().counts).to.deep.equal({});
  });

  it('is counted: heartbeats and questions that failed, and answers that are not believed', async () => {
    const instances = ['a', 'b'].map((instanceId) => ({
      instanceId,
      endpoints: [`rest://${new URL(center.url).host}`],
    }));
    const { serviceId } = center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances });
    await rig.register();
    const world = rig.watch('world');
    await world.next();
    center.failure = FAILURE;
    rig.registry.registrator.beatNow();
    await center.untilAsked(isHeartbeat, 2);
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 2);
    center.failure = undefined;
    // Silently, as a service-center forgets that lost its memory: no event says that they are gone.
    for (const { instanceId } of instances)
      center.registry.tenant('default/default').instances.remove(serviceId, instanceId);
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 3);
    const { counts = {} } = rig.registry.discovery.state();
    expect(counts).to.have.all.keys('heartbeat-failed', 'ask-failed', 'empty-suppressed');
    expect(counts['empty-suppressed']).to.equal(1);
  });
});

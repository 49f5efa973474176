import { expect } from 'chai';
import { fakePorts, RecordingLogger } from '@mesher/core/testing';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ServiceCenterServer, type Asked } from '../testing/index.js';
import { ServiceTags, type Tags } from './service-tags.js';

const isTags = ({ path }: Asked): boolean => path.endsWith('/tags');
const SIGNAL = new AbortController().signal;

describe('tags of service versions', () => {
  let center: ServiceCenterServer;
  const rigs: RegistryRig[] = [];

  async function open(options: { readonly serviceTags?: boolean }, yaml = ''): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: center.url, options: { ...options, fullRefresh: 20 }, yaml });
    rigs.push(rig);
    return rig;
  }

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await center.close();
  });

  function seed(version: string, tags: Tags, properties: Tags): string {
    const where = { appId: 'shop', environment: 'testing', serviceName: 'world', version };
    return center.seed({ ...where, tags, instances: [{ instanceId: `i${version}`, properties }] }).serviceId;
  }

  it('are at each instance, below what it says of itself', async () => {
    seed('1.0.0', { stage: 'blue', owner: 'a' }, { stage: 'green' });
    seed('2.0.0', { stage: 'red' }, {});
    const rig = await open({ serviceTags: true });
    const { instances } = await rig.watch('world').next();
    expect(instances.map(({ version, metadata }) => [version, metadata]).sort()).to.deep.equal([
      ['1.0.0', { stage: 'green', owner: 'a' }],
      ['2.0.0', { stage: 'red' }],
    ]);
  });

  it('cost nothing when nobody wants them', async () => {
    seed('1.0.0', { stage: 'blue' }, {});
    const rig = await open({});
    expect((await rig.watch('world').next()).instances[0]?.metadata).to.deep.equal({});
    await rig.register();
    expect(center.asked.some(isTags)).to.equal(false);
  });

  it('of the own service are set, and those that somebody else set stay', async () => {
    const where = { appId: 'shop', environment: 'testing', serviceName: 'caller', version: '1.0.0' };
    const { serviceId } = center.seed({ ...where, tags: { by: 'hand', stage: 'old' } });
    const rig = await open({}, 'servicecomb.service.tags: { stage: new }\n');
    await rig.register();
    const { tags } = center.registry.tenant('default/default').services.extras(serviceId);
    expect(tags).to.deep.equal({ by: 'hand', stage: 'new' });
  });

  it('that service-center refuses are no reason not to be registered', async () => {
    const rig = await open({}, 'servicecomb.service.tags: { 1st: x }\n');
    await rig.register();
    expect(rig.logger.messages('warn').join()).to.contain('servicecomb.service.tags');
  });

  it('are asked for once per version, again when they are old, and stay while they cannot be read', async () => {
    const ports = fakePorts();
    const logger = new RecordingLogger();
    const asked: string[] = [];
    let answer = (): Promise<Record<string, string>> => Promise.resolve({ stage: 'blue' });
    const tags = new ServiceTags(
      {
        tags: (serviceId: string) => {
          asked.push(serviceId);
          return answer();
        },
      },
      ports.clock,
      logger,
      1_000,
    );
    const instances = [{ serviceId: 'a' }, { serviceId: 'b' }, { serviceId: 'a' }, {}, null, { serviceId: 7 }];
    await tags.learn(instances, SIGNAL);
    await tags.learn(instances, SIGNAL);
    expect(asked).to.deep.equal(['a', 'b']);
    ports.time.advance(1_000);
    answer = () => Promise.reject(new Error('no answer'));
    await tags.learn(instances, SIGNAL);
    await tags.learn(instances, SIGNAL);
    expect([asked, tags.of('b'), tags.of('c')]).to.deep.equal([['a', 'b', 'a', 'a'], { stage: 'blue' }, undefined]);
    expect(logger.messages('warn')).to.have.length(1);
    ports.time.advance(20_000);
    await tags.learn([], SIGNAL);
    expect(tags.of('a')).to.equal(undefined);
  });
});

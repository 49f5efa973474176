import { expect } from 'chai';
import type { Chassis } from '../chassis.js';
import { parseServicePorts } from '../config/service-ports.js';
import { chassisRig, type ChassisRig, type ChassisRigSettings } from '../testing/chassis-rig.js';
import { settle } from '../testing/fake-ports.js';
import { httpInstance, instanceAt } from '../testing/instances.js';
import type { CallExplanation } from './explainer.js';

async function started(settings: ChassisRigSettings = {}): Promise<{ rig: ChassisRig; chassis: Chassis }> {
  const rig = await chassisRig(settings);
  const chassis = await rig.create();
  rig.discovery.publishAll([httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
  await chassis.start();
  return { rig, chassis };
}

function stages({ steps }: CallExplanation): string[] {
  return steps.map(({ stage }) => stage);
}

describe('explaining an outbound call', () => {
  it('names the stages in their order and says that the call would be sent', async () => {
    const { chassis } = await started();
    const explained = await chassis.explain({ url: 'http://world/v2' });
    expect(explained).to.include({ sent: true, answer: undefined });
    expect(stages(explained).slice(0, 3)).to.deep.equal(['resolver', 'service', 'chain']);
    expect(stages(explained)).to.include('load-balancer');
    expect(explained.edits.added.map(([name]) => name)).to.include.members(['x-mesher-hop', 'x-cse-src-microservice']);
    await chassis.close();
  });

  it('counts nothing, watches nothing and begins nothing', async () => {
    const { rig, chassis } = await started();
    const before = rig.time.pendingTimers;
    for (let i = 0; i < 3; i++) await chassis.explain({ url: 'http://world/' });
    await chassis.explain({ url: 'http://nobody/' });
    expect([rig.discovery.begun('world'), rig.discovery.begun('nobody')]).to.deep.equal([0, 0]);
    expect(chassis.directory.plans).to.deep.equal([]);
    expect(rig.time.pendingTimers).to.equal(before);
    expect(chassis.metrics.slotCount).to.equal(0);
    await chassis.close();
  });

  it('takes no turn of the balancer of a service that is in use', async () => {
    const { rig, chassis } = await started();
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
    const plan = chassis.directory.plan('world');
    await settle();
    for (let i = 0; i < 3; i++) await chassis.explain({ url: 'http://world/' });
    expect(plan).to.include({ calls: 0, lastUsedAt: 0, metricsSlot: -1 });
    await chassis.close();
  });

  it('says so when nothing is known of a service, and asks the registry only when told to', async () => {
    const { rig, chassis } = await started();
    rig.discovery.publish('hidden', [httpInstance('10.0.0.3:80', { service: 'hidden' })]);
    const unasked = await chassis.explain({ url: 'http://hidden/' });
    expect(unasked.answer).to.include({ code: 'MESH_ERR_NO_ROUTE', status: 404 });
    expect(unasked.answer?.hint).to.match(/--watch/);
    const asked = await chassis.explain({ url: 'http://hidden/', watch: true });
    expect(asked.sent).to.equal(true);
    expect(rig.discovery.begun('hidden')).to.equal(1);
    await chassis.close();
  });

  it('says where a call goes over HTTP/2, and that callers of HTTP/1 are translated for', async () => {
    const { rig, chassis } = await started();
    const addresses = { rest: '10.0.0.1:80', grpc: '10.0.0.1:90' };
    rig.discovery.publish('mixed', [instanceAt(addresses, { service: 'mixed' })]);
    rig.discovery.publish('modern', [instanceAt({ h2c: '10.0.0.2:80' }, { service: 'modern' })]);
    const balancing = async (url: string, protocol: 'http' | 'grpc'): Promise<string | undefined> => {
      const { steps } = await chassis.explain({ url, protocol, watch: true });
      return steps.find(({ stage }) => stage === 'load-balancer')?.details[0];
    };
    expect(await balancing('http://mixed/', 'grpc')).to.match(/^\+ 10\.0\.0\.1:90: .*, over HTTP\/2$/);
    expect(await balancing('http://mixed/', 'http'))
      .to.match(/^\+ 10\.0\.0\.1:80: /)
      .and.to.not.contain('HTTP/');
    expect(await balancing('http://modern/', 'http')).to.match(/over HTTP\/2, translated for a caller of HTTP\/1$/);
    await chassis.close();
  });

  it('says to a caller of gRPC its statuses, and that its call has no time to begin to answer', async () => {
    const { rig, chassis } = await started();
    rig.discovery.publish('modern', [instanceAt({ grpc: '10.0.0.2:80' }, { service: 'modern' })]);
    const refused = await chassis.explain({ url: 'http://192.0.2.1/a.B/C', protocol: 'grpc' });
    const { decision, data } = refused.steps.at(-1) ?? {};
    expect(decision).to.match(/^UNIMPLEMENTED MESH_ERR_NO_ROUTE: /);
    expect(data).to.include({ status: 404, grpcStatus: 12 });
    const { steps } = await chassis.explain({
      url: 'http://modern/a.B/C',
      protocol: 'grpc',
      method: 'POST',
      watch: true,
    });
    const told = (name: string): string => {
      const step = steps.find(({ stage }) => stage === name);
      return [step?.decision, ...(step?.details ?? [])].join('\n');
    };
    expect(told('timeout'))
      .to.match(/^none, as gRPC wants it/)
      .and.to.not.contain('responseTimeout');
    expect(told('retry')).to.contain('a stream that no instance has looked at');
    await chassis.close();
  });

  it('names the service that was probably meant', async () => {
    const { chassis } = await started();
    const [step] = (await chassis.explain({ url: 'http://wrld/' })).steps.slice(-1);
    expect(step?.details).to.include('did you mean world?');
    await chassis.close();
  });

  it('ends where a real call would: no service in the host, a circle, an absent service, no instance', async () => {
    const { rig, chassis } = await started();
    rig.discovery.publishAbsent('gone');
    rig.discovery.publish('empty', []);
    const answers = await Promise.all([
      chassis.explain({ url: '/path' }),
      chassis.explain({ url: 'http://world/', headers: { 'x-mesher-hop': 'a.o99' } }),
      chassis.explain({ url: 'http://gone/', watch: true }),
      chassis.explain({ url: 'http://empty/', watch: true }),
    ]);
    expect(answers.map(({ answer }) => answer?.code)).to.deep.equal([
      'MESH_ERR_NO_ROUTE',
      'MESH_ERR_LOOP',
      'MESH_ERR_NO_ROUTE',
      'MESH_ERR_NO_INSTANCE',
    ]);
    await chassis.close();
  });

  it('finds a service by another spelling, as a call does', async () => {
    const { rig, chassis } = await started();
    rig.discovery.publish('World', [httpInstance('10.0.0.1:80', { service: 'World' })]);
    rig.discovery.publishAbsent('WORLD');
    chassis.directory.plan('WORLD');
    await settle();
    rig.discovery.publishAll([httpInstance('10.0.0.1:80', { service: 'World' })]);
    await settle();
    for (const watch of [false, true]) {
      const { sent, steps } = await chassis.explain({ url: 'http://WORLD/', watch });
      expect(sent, JSON.stringify(steps)).to.equal(true);
    }
    await chassis.close();
  });

  it('shows no credentials', async () => {
    const { chassis } = await started();
    const explained = await chassis.explain({
      url: 'http://world/?t=hunter22',
      headers: { authorization: 'Basic hunter22' },
    });
    expect(JSON.stringify(explained)).to.not.include('hunter22');
    await chassis.close();
  });
});

describe('explaining an inbound call', () => {
  it('names the caller and the local port', async () => {
    const { chassis } = await started({ servicePorts: parseServicePorts('rest:8080') });
    const explained = await chassis.explain({ url: '/', direction: 'inbound', source: 'web' });
    expect(explained.sent).to.equal(true);
    expect(explained.steps.find(({ stage }) => stage === 'source')?.decision).to.match(/web/);
    expect(explained.steps.find(({ stage }) => stage === 'local-port')?.data).to.deep.equal({
      address: '127.0.0.1:8080',
      over: 'HTTP/1',
    });
    await chassis.close();
  });

  it('says when the application is spoken to over HTTP/2, and that callers of HTTP/1 are translated for', async () => {
    const { chassis } = await started({ servicePorts: parseServicePorts('grpc:9000') });
    const decision = async (protocol: 'http' | 'grpc'): Promise<string | undefined> => {
      const { steps } = await chassis.explain({ url: '/', direction: 'inbound', protocol });
      return steps.find(({ stage }) => stage === 'local-port')?.decision;
    };
    expect(await decision('grpc')).to.equal('the application at 127.0.0.1:9000, over HTTP/2');
    expect(await decision('http')).to.equal(
      'the application at 127.0.0.1:9000, over HTTP/2, translated for a caller of HTTP/1',
    );
    await chassis.close();
  });

  it('ends with what is missing when the local port is not known', async () => {
    const { chassis } = await started();
    const { answer } = await chassis.explain({ url: '/', direction: 'inbound' });
    expect(answer?.code).to.equal('MESH_ERR_NO_LOCAL_PORT');
    await chassis.close();
  });
});

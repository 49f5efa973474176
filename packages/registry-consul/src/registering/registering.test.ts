import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { hostname } from 'node:os';
import { RegistryRig, type RigSettings } from '../client/testing/registry-rig.js';
import { ConsulServer, type Asked, type CheckRecord, type ServiceRecord } from '../testing/index.js';

const isRegistration = ({ path }: Asked): boolean => path === '/v1/agent/service/register';
const isPass = ({ path }: Asked): boolean => path.startsWith('/v1/agent/check/pass/');
const isDeregistration = ({ path }: Asked): boolean => path.startsWith('/v1/agent/service/deregister/');
const ID = `caller-${hostname()}-127.0.0.1-8080`;

describe('registering in Consul', () => {
  let consul: ConsulServer;
  const rigs: RegistryRig[] = [];

  async function open(settings: Partial<RigSettings> = {}): Promise<RegistryRig> {
    const rig = await RegistryRig.open({ address: consul.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  function listed(): readonly ServiceRecord[] {
    return consul.store.services('caller');
  }

  function check(id = `service:${ID}`): CheckRecord | undefined {
    return consul.store.checks().find(({ CheckID }) => CheckID === id);
  }

  beforeEach(async () => {
    consul = await ConsulServer.start();
  });

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await consul.close();
  });

  it('says all that the configuration says of service and instance', async () => {
    const rig = await open({
      yaml: [
        'region: { name: eu, availableZone: eu-1 }',
        'servicecomb.registry.consul: { tags: "a, b", enableTagOverride: true, warningWeight: 0, deregisterCriticalAfter: 2m }',
      ].join('\n'),
    });
    const addresses = new Map([
      ['rest', { host: '10.0.0.1', port: 8080, tls: true }],
      ['grpc', { host: '::1', port: 9090, tls: false }],
    ]);
    await rig.register({ metadata: { stage: 'canary' }, weight: 3, addresses });
    const [service] = listed();
    expect(service).to.deep.include({
      ID: `caller-${hostname()}-10.0.0.1-8080`,
      Address: '10.0.0.1',
      Port: 8080,
      Tags: ['a', 'b'],
      Weights: { Passing: 3, Warning: 0 },
      EnableTagOverride: true,
    });
    expect(service?.Meta).to.deep.equal({
      version: '1.0.0',
      app: 'shop',
      environment: 'testing',
      region: 'eu',
      zone: 'eu-1',
      'mesher-endpoint-rest': 'rest://10.0.0.1:8080?sslEnabled=true',
      'mesher-endpoint-grpc': 'grpc://[::1]:9090',
      stage: 'canary',
    });
    const { Check } = JSON.parse(consul.asked.find(isRegistration)?.text ?? '') as { Check: object };
    expect(Check).to.deep.equal({
      CheckID: `service:caller-${hostname()}-10.0.0.1-8080`,
      Name: 'Mesher',
      TTL: '30000ms',
      Status: 'passing',
      DeregisterCriticalServiceAfter: '120000ms',
    });
  });

  it('takes the place of a registration that a killed process left, with the state of now', async () => {
    const rig = await open();
    await rig.register();
    consul.setCheck(`service:${ID}`, 'critical', 'TTL expired');
    await (await open()).register();
    expect(listed()).to.have.length(1);
    expect(check()?.Status).to.equal('passing');
  });

  for (const [status, shown] of [
    ['UP', 'passing'],
    ['TESTING', 'warning'],
    ['STARTING', 'critical'],
    ['DOWN', 'critical'],
    ['OUTOFSERVICE', 'critical'],
  ] as const) {
    it(`shows ${status} as ${shown}, and others with Mesher see which it is`, async () => {
      const rig = await open();
      const lease = await rig.register();
      await lease.setStatus(status);
      expect(check()?.Status).to.equal(shown);
      const snapshot = await rig.watch('caller').next();
      expect(snapshot.instances.map((instance) => instance.status)).to.deep.equal([status]);
    });
  }

  it('registers with the state that the instance has', async () => {
    const rig = await open();
    await rig.register({ status: 'STARTING' });
    expect(check()).to.include({ Status: 'critical', Output: 'STARTING, says Mesher' });
  });

  it('gives up for good what Consul refuses for good', async () => {
    consul.failure = { status: 400, body: 'Invalid service' };
    const rig = await open();
    const error: unknown = await rig.register().catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'CONSUL_REFUSED', status: 400 });
  });

  it('waits for an agent that is down, and can be given up', async () => {
    const rig = await open({ address: '127.0.0.1:1' });
    const lease = rig.register().catch((reason: unknown) => reason);
    await rig.close();
    expect(await lease).to.be.instanceOf(Error);
  });

  describe('keeps an instance alive', () => {
    it('every third of the lease, up to a fifth early, and at once after a stall of the process', async () => {
      const ports = fakePorts();
      const rig = await open({ ports, options: { ttl: 6_000 } });
      await rig.register();
      const before = consul.asked.filter(isPass).length;
      // The first one comes anywhere within the interval.
      ports.time.advance(2_000);
      await consul.untilAsked(isPass, before + 1);
      const next = (): number => (ports.time.nextTimerAt ?? Infinity) - ports.time.now();
      // Until then, what is waited for is the answer, for as long as an interval.
      while (next() >= 2_000) await new Promise((resolve) => setImmediate(resolve));
      expect(next()).to.be.within(1_600, 2_000);
      // A process that stood still for longer than the lease.
      consul.forget();
      ports.time.advance(3_600_000);
      await consul.untilAsked(isRegistration, 2);
    });

    it('no sooner after a heartbeat that was denied than after one that was taken', async () => {
      const ports = fakePorts();
      const rig = await open({ ports, options: { ttl: 6_000 } });
      await rig.register();
      consul.failure = { status: 403, body: 'ACL not found', fits: isPass };
      ports.time.advance(2_000);
      while (rig.registry.registrator.problems.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(rig.registry.registrator.problems.join()).to.contain('ACL not found');
      while (ports.time.pendingTimers < 1) await new Promise((resolve) => setImmediate(resolve));
      expect((ports.time.nextTimerAt ?? 0) - ports.time.now()).to.be.within(1_600, 2_000);
    });

    it('at once when the machine wakes, whose clock stood still while it slept', async () => {
      const time = fakePorts();
      let asleepMs = 0;
      const clock = { now: () => time.clock.now(), wallTime: () => time.clock.wallTime() + asleepMs };
      const rig = await open({ ports: { ...time, clock }, options: { ttl: 600_000 } });
      await rig.register();
      const before = consul.asked.filter(isPass).length;
      asleepMs = 3_600_000;
      time.time.advance(5_000);
      await consul.untilAsked(isPass, before + 1);
    });

    it('and registers it again under the same id, with its last state, when the agent has lost it', async () => {
      const rig = await open();
      const lease = await rig.register();
      await lease.setStatus('DOWN');
      consul.forget();
      rig.registry.registrator.beatNow();
      await consul.untilAsked(isRegistration, 2);
      await consul.untilAsked(({ path }) => path.startsWith('/v1/agent/check/fail/'), 3);
      expect(listed().map(({ ID: id }) => id)).to.deep.equal([ID]);
      expect(check()).to.include({ Status: 'critical', Output: 'DOWN, says Mesher' });
      expect(rig.registry.discovery.state().counts).to.deep.equal({ 're-registered': 1 });
    });

    it('and registers it again at an agent that says so in the words of old versions', async () => {
      const rig = await open();
      await rig.register();
      const body = 'CheckID "service:caller" does not have associated TTL';
      consul.failure = { status: 500, body, fits: isPass };
      rig.registry.registrator.beatNow();
      await consul.untilAsked(isPass, 2);
      consul.failure = undefined;
      await consul.untilAsked(isRegistration, 2);
    });

    it('and does not register it again because of trouble on the way, which is counted and told', async () => {
      const rig = await open();
      await rig.register();
      consul.failure = { status: 500, body: 'rpc error' };
      rig.registry.registrator.beatNow();
      await consul.untilAsked(isPass, 3);
      expect(rig.registry.discovery.state().problems.join()).to.contain('caller is not kept alive');
      consul.failure = undefined;
      await consul.untilAsked(isPass, 4);
      expect(consul.asked.filter(isRegistration)).to.have.length(1);
      expect(rig.registry.discovery.state().counts?.['heartbeat-failed']).to.be.greaterThan(0);
    });

    it('and tells a state that Consul did not take with the next heartbeat that works', async () => {
      const rig = await open();
      const lease = await rig.register();
      consul.failure = { status: 503 };
      const error: unknown = await lease.setStatus('DOWN').catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'CONSUL_UNREACHABLE' });
      consul.failure = undefined;
      rig.registry.registrator.beatNow();
      while (check()?.Status !== 'critical') await new Promise((resolve) => setImmediate(resolve));
    });

    it('by whoever of its agents answers', async () => {
      const rig = await open({ address: `http://127.0.0.1:1,${consul.url}` });
      await rig.register();
      expect(listed()).to.have.length(1);
    });
  });

  describe('with a check of Consul', () => {
    for (const [yaml, expected] of [
      ['check: http, checkUrl: /health', { HTTP: 'http://127.0.0.1:8080/health' }],
      ['check: http, checkUrl: "http://127.0.0.1:1/y"', { HTTP: 'http://127.0.0.1:1/y' }],
      ['check: tcp', { TCP: '127.0.0.1:8080' }],
      ['check: grpc, checkAddress: "127.0.0.1:1/shop"', { GRPC: '127.0.0.1:1/shop' }],
    ] as const) {
      it(`says what to ask: ${yaml}`, async () => {
        const rig = await open({ yaml: `servicecomb.registry.consul: { ${yaml} }\n` });
        await rig.register();
        const { Check } = JSON.parse(consul.asked.find(isRegistration)?.text ?? '') as { Check: object };
        expect(Check).to.deep.include({ ...expected, Interval: '10000ms', Timeout: '5000ms' });
      });
    }

    it('shows a state by a maintenance', async () => {
      const rig = await open({ options: { check: 'grpc' } });
      const lease = await rig.register();
      await lease.setStatus('DOWN');
      expect(check(`_service_maintenance:${ID}`)?.Status).to.equal('critical');
      const snapshot = await rig.watch('caller').next();
      expect(snapshot.instances[0]?.status).to.equal('OUTOFSERVICE');
      await lease.setStatus('UP');
      expect(check(`_service_maintenance:${ID}`)).to.equal(undefined);
    });

    it('finds out that the agent has lost the instance', async () => {
      const rig = await open({ options: { check: 'grpc' } });
      await rig.register();
      consul.forget();
      rig.registry.registrator.beatNow();
      await consul.untilAsked(isRegistration, 2);
    });
  });

  describe('and leaving it', () => {
    it('takes the instance out, once', async () => {
      const rig = await open();
      const lease = await rig.register();
      await Promise.all([lease.release(), lease.release()]);
      expect(listed()).to.deep.equal([]);
      expect(consul.asked.filter(isDeregistration)).to.have.length(1);
    });

    it('leaves it in maintenance where that is wanted, and ends that with the next registration', async () => {
      const rig = await open({ options: { onStop: 'maintenance' } });
      await (await rig.register()).release();
      expect(listed()).to.have.length(1);
      expect(check(`_service_maintenance:${ID}`)?.Status).to.equal('critical');
      await rig.register();
      expect(check(`_service_maintenance:${ID}`)).to.equal(undefined);
    });

    it('takes an instance that is gone for one that has left', async () => {
      const rig = await open();
      const lease = await rig.register();
      consul.forget();
      await lease.release();
    });

    it('ends within its bound when the agent hangs', async () => {
      const rig = await open({ options: { stopTimeout: 20 } });
      const lease = await rig.register();
      consul.steering.holdsAnswers = true;
      const error: unknown = await lease.release().catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'CONSUL_UNREACHABLE' });
    });

    it('leaves nothing behind when it is given up under way', async () => {
      const rig = await open();
      consul.steering.holdsAnswers = true;
      const given = rig.register().catch((reason: unknown) => reason);
      await consul.untilAsked(isRegistration);
      const closed = rig.close();
      await given;
      // What overtakes the registration would leave it behind.
      expect(consul.asked.filter(isDeregistration)).to.have.length(0);
      consul.steering.holdsAnswers = false;
      await closed;
      expect(consul.asked.at(-1)?.path).to.contain('/deregister/');
      expect(listed()).to.deep.equal([]);
    });
  });
});

import { expect } from 'chai';
import type { Chassis } from '../../chassis.js';
import { Rejection } from '../../errors.js';
import type { Outcome } from '../../invocation.js';
import { Endpoint } from '../../registry/endpoint.js';
import { chassisRig } from '../../testing/chassis-rig.js';
import { FakeCall } from '../../testing/fake-call.js';
import { failAttempt, outcome, place } from '../../testing/handler-rig.js';
import { httpInstance, instanceAt } from '../../testing/instances.js';
import { fakeMetricSources } from '../../testing/metric-sources.js';
import { metricFamilies } from '../../telemetry/metric-families.js';

const BREAKER: Readonly<Record<string, string>> = {
  'cse.circuitBreaker.scope': 'instance',
  'cse.circuitBreaker.Consumer.enabled': 'true',
  'cse.circuitBreaker.Consumer.requestVolumeThreshold': '4',
  'cse.circuitBreaker.Consumer.sleepWindowJitterPercentage': '0',
  // Otherwise breakers are ignored when most instances are open.
  'cse.loadbalance.panicThreshold': '0',
};

/** Which instance answers how: by the last digit of its port. */
type Answers = (port: number, call: FakeCall) => number;

async function rig(configuration: Readonly<Record<string, string>> = {}, ports: readonly number[] = [1, 2, 3]) {
  const { create, discovery, time } = await chassisRig({ configuration: { ...BREAKER, ...configuration } });
  const chassis: Chassis = await create();
  void chassis.start();
  const register = (...present: number[]): void =>
    discovery.publish(
      'world',
      present.map((port) => httpInstance(`10.0.0.1:${port}`)),
    );
  register(...ports);

  async function begin(path = '/'): Promise<FakeCall> {
    const call = new FakeCall({ authority: 'world', path, startedAt: time.now() });
    const verdict = await place(chassis.outbound, call);
    if (verdict instanceof Rejection) throw verdict; // eslint-disable-line @typescript-eslint/only-throw-error
    return call;
  }
  function end(call: FakeCall, facts: Partial<Outcome> = {}): void {
    chassis.outbound.end(call, outcome({ durationMs: time.now() - call.startedAt, ...facts }));
  }
  /** Makes calls one after the other and counts them by the port they went to, refused ones by their code. */
  async function make(count: number, answers: Answers, path = '/'): Promise<Record<string, number>> {
    const went: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const where = await begin(path).then(
        (call) => {
          const port = call.endpoint?.port ?? 0;
          end(call, { status: answers(port, call) });
          return String(port);
        },
        (refusal: Rejection) => refusal.code,
      );
      went[where] = (went[where] ?? 0) + 1;
    }
    return went;
  }
  return { chassis, time, register, begin, end, make };
}

const ONE_FAILS: Answers = (port) => (port === 1 ? 503 : 200);

describe('breakers of instances', () => {
  it('take out the instance that fails, and no call is refused', async () => {
    const { make } = await rig();
    expect(await make(12, ONE_FAILS)).to.deep.equal({ 1: 4, 2: 4, 3: 4 });
    expect(await make(20, ONE_FAILS)).to.deep.equal({ 2: 10, 3: 10 });
  });

  it('have names of their own where one address is listed for HTTP and for gRPC', async () => {
    const { create, discovery, time } = await chassisRig({ configuration: BREAKER });
    const chassis = await create();
    void chassis.start();
    discovery.publish('world', [instanceAt({ rest: '10.0.0.1:1', grpc: '10.0.0.1:1' })]);
    const parts: unknown[] = [];
    for (const protocol of ['http', 'grpc'] as const) {
      for (let i = 0; i < 4; i++) {
        const call = new FakeCall({ authority: 'world', protocol, startedAt: time.now() });
        await place(chassis.outbound, call);
        const failed = protocol === 'grpc' ? { status: 200, grpcStatus: 14 } : { status: 503 };
        chassis.outbound.end(call, outcome({ durationMs: 1, ...failed }));
      }
    }
    const families = metricFamilies(fakeMetricSources({ policies: chassis.policyMetrics }));
    const state = families.find(({ definition }) => definition.name === 'mesher_breaker_state');
    for await (const samples of state?.slices() ?? []) parts.push(...samples.map(({ labels }) => labels['name']));
    expect(parts).to.deep.equal(['10.0.0.1:1', '10.0.0.1:1 HTTP/2']);
    await chassis.close();
  });

  it('let so many probes go to it after the sleep window, and no more until they have ended', async () => {
    const { make, time, begin, end } = await rig();
    await make(12, ONE_FAILS);
    time.advance(15_000);
    const calls: FakeCall[] = [];
    for (let i = 0; i < 30; i++) calls.push(await begin());
    const probes = calls.filter(({ endpoint }) => endpoint?.port === 1);
    expect(probes).to.have.length(3);
    for (const call of calls) end(call);
    const went = await make(9, () => 200);
    expect(went).to.have.property('1', 3);
  });

  it('close when the probes are answered well, although the answers go on for hours', async () => {
    const { chassis, make, time, begin } = await rig();
    await make(12, ONE_FAILS);
    time.advance(15_000);
    for (let i = 0; i < 9; i++) {
      const call = await begin();
      if (call.watchesBeginning) chassis.outbound.begun?.(call, 200);
    }
    expect(await make(9, () => 200)).to.deep.equal({ 1: 3, 2: 3, 3: 3 });
  });

  it('open again when the probes fail, and are not wedged by probes that never end', async () => {
    const { make, time, begin } = await rig();
    await make(12, ONE_FAILS);
    time.advance(15_000);
    expect(await make(20, ONE_FAILS)).to.have.property('1', 2);
    expect(await make(20, ONE_FAILS)).to.not.have.property('1');
    time.advance(15_000);
    for (let i = 0; i < 30; i++) await begin();
    expect(await make(20, () => 200)).to.not.have.property('1');
    time.advance(30_000);
    expect((await make(30, () => 200))['1']).to.be.greaterThan(5);
  });

  it('count attempts: a call that succeeds at the second instance is a failure of the first', async () => {
    const { chassis, begin, end, make } = await rig();
    for (let i = 0; i < 20; i++) {
      const call = await begin();
      if (call.endpoint?.port === 1) {
        const next = await failAttempt(chassis.outbound, call, { code: 'MESH_ERR_UPSTREAM_RESET', sent: true });
        expect(next).to.be.instanceOf(Endpoint);
      }
      end(call);
    }
    expect(await make(10, () => 200)).to.not.have.property('1');
  });

  it('refuse a call only when all instances are open, and say when the next probe is', async () => {
    const { make, begin, time } = await rig();
    await make(12, () => 503);
    time.advance(5_000);
    const refusal: unknown = await begin().catch((error: unknown) => error);
    expect(refusal).to.include({ code: 'MESH_ERR_BREAKER_OPEN', retryAfterSeconds: 10 });
    expect((refusal as Rejection).message).to.contain('all 3 instances of world');
    time.advance(10_000);
    expect(await make(30, () => 200)).to.not.have.property('MESH_ERR_BREAKER_OPEN');
  });

  it('are forgotten with their instances', async () => {
    const { make, register, time } = await rig();
    await make(12, ONE_FAILS);
    register(2, 3);
    time.advance(1_000);
    await make(4, () => 200);
    register(1, 2, 3);
    await make(1, () => 200);
    expect(await make(9, () => 200)).to.deep.equal({ 1: 3, 2: 3, 3: 3 });
  });

  const switchedOff = [
    ['and nothing else is', {}],
    ['and nothing is left for the policy to do', { 'cse.isolation.Consumer.maxConcurrentRequests': '0' }],
  ] as const;
  for (const [what, more] of switchedOff) {
    it(`let everything pass again when they are switched off, ${what}`, async () => {
      const { make, chassis } = await rig();
      await make(12, ONE_FAILS);
      const { create } = await chassisRig({
        configuration: { ...BREAKER, ...more, 'cse.circuitBreaker.Consumer.enabled': 'false' },
      });
      chassis.configuration.swap((await create()).document);
      await make(1, () => 200);
      expect(await make(9, () => 200)).to.deep.equal({ 1: 3, 2: 3, 3: 3 });
    });
  }

  describe('by API', () => {
    const BY_API = { 'cse.circuitBreaker.scope': 'instance-api' };
    const ONE_FAILS_ORDERS: Answers = (port, { path }) => (port === 1 && path.startsWith('/orders') ? 503 : 200);

    it('keep calls of the API that fails away from the instance, and no others', async () => {
      const { make } = await rig(BY_API);
      await make(12, ONE_FAILS_ORDERS, '/orders/1');
      const orders = await make(20, ONE_FAILS_ORDERS, '/orders/2');
      expect(orders).to.not.have.property('1');
      expect(Object.values(orders).reduce((sum, count) => sum + count)).to.equal(20);
      expect((await make(9, ONE_FAILS_ORDERS, '/users'))['1']).to.equal(3);
    });

    it('say so when asked', async () => {
      const { make, chassis } = await rig(BY_API);
      await make(12, ONE_FAILS_ORDERS, '/orders/1');
      const { steps } = await chassis.explain({ method: 'GET', url: 'http://world/orders/7' });
      const step = steps.find(({ stage }) => stage === 'circuit-breaker');
      expect(step?.decision).to.equal('passes');
      expect(step?.details.join('\n')).to.match(/10\.0\.0\.1:1 GET \/orders\/\{id\}: open: 4 of 4 calls failed/);
    });

    it('probe it again', async () => {
      const { make, time } = await rig(BY_API);
      await make(12, ONE_FAILS_ORDERS, '/orders/1');
      time.advance(15_000);
      expect((await make(30, () => 200, '/orders/1'))['1']).to.be.greaterThan(5);
    });

    it('refuse calls of the API only when all instances are open for it', async () => {
      const { make } = await rig(BY_API);
      await make(12, () => 503, '/orders');
      expect(await make(3, () => 200, '/orders')).to.deep.equal({ MESH_ERR_BREAKER_OPEN: 3 });
      expect(await make(3, () => 200, '/users')).to.deep.equal({ 1: 1, 2: 1, 3: 1 });
    });
  });
});

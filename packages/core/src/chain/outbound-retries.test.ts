import { expect } from 'chai';
import { DirectAnswer, Rejection } from '../errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ExecutorSettings } from '../resilience/timeout/executor-settings.js';
import { COUNTED_CODES } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { failAttempt, handlerRig, inFlight, outcome, place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';
import { answerOf, executorOf } from '../testing/retry-rig.js';
import { GONE, type Verdict } from './call-handler.js';

describe('an outbound call with retries', () => {
  let executor: ExecutorSettings;

  before(async () => {
    executor = await executorOf(
      [
        'isolation.Consumer.timeoutInMilliseconds: 500',
        'loadbalance: {retryEnabled: true, retryOnNext: 1, backoff: {kind: constant, minMs: 50}, hedging: {enabled: true, delayMs: 20}}',
      ].join('\n'),
    );
  });

  function rigOf(...addresses: string[]): ReturnType<typeof handlerRig> {
    const rig = handlerRig({ executor });
    rig.discovery.publish(
      'world',
      addresses.map((address) => httpInstance(address)),
    );
    return rig;
  }

  it('has its limits set when it is placed', async () => {
    const { outbound } = rigOf('10.0.0.1:80');
    const call = new FakeCall();
    await place(outbound, call);
    expect([call.deadlineAt, call.tryTimeout, call.hedgeAfter, call.watchesAnswer]).to.deep.equal([
      500,
      Infinity,
      20,
      true,
    ]);
  });

  it('goes to another instance after a status that is worth it, and the second answer is passed on', async () => {
    const { outbound, time, metrics } = rigOf('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const first = await place(outbound, call);
    const later = outbound.answered?.(call, answerOf(503)) as Promise<Verdict>;
    time.advance(50);
    const second = (await later) as Endpoint;
    expect(second).to.not.equal(first);
    call.endpoint = second;
    expect(outbound.answered?.(call, answerOf(503))).to.equal(undefined);
    outbound.end(call, outcome({ status: 503, durationMs: 60 }));
    const slot = metrics.slotFor('outbound', 'world');
    expect(metrics.retriesOf(slot, COUNTED_CODES.indexOf('MESH_ERR_STATUS'))).to.equal(1);
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ world: 0 });
  });

  it('tells each attempt how much time is left', async () => {
    const { outbound, time } = rigOf('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    expect(call.sent('x-mesher-timeout-ms')).to.deep.equal(['500']);
    time.advance(100);
    const later = outbound.answered?.(call, answerOf(503)) as Promise<Verdict>;
    time.advance(50);
    await later;
    expect([call.sent('x-mesher-timeout-ms'), call.sent('x-mesher-attempt')]).to.deep.equal([['350'], ['2']]);
  });

  it('lets an instance rest to which a hedge could not connect', async () => {
    const { outbound } = rigOf('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    const second = outbound.hedge?.(call) as Endpoint;
    outbound.lost?.(call, second, { code: 'MESH_ERR_CONNECT', message: '', sent: false, reusedConnection: false });
    expect(second.connectFailures).to.equal(1);
  });

  it('takes one turn of the balancer per attempt: the first choice is not consumed twice', async () => {
    const { outbound } = rigOf('10.0.0.1:80', '10.0.0.2:80');
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      const call = new FakeCall();
      order.push(((await place(outbound, call)) as Endpoint).key);
      expect(outbound.answered?.(call, answerOf(200))).to.equal(undefined);
      outbound.end(call, outcome());
    }
    expect(new Set(order.slice(0, 2)).size).to.equal(2);
    expect(order).to.deep.equal([0, 1, 0, 1, 0, 1].map((turn) => order[turn]));
  });

  it('passes the answer on at once when there is no other instance', async () => {
    const { outbound, time } = rigOf('10.0.0.1:80');
    const call = new FakeCall();
    await place(outbound, call);
    const pending = time.pendingTimers;
    expect(outbound.answered?.(call, answerOf(503))).to.equal(undefined);
    expect(time.pendingTimers).to.equal(pending);
  });

  it('goes nowhere when its caller leaves while it waits', async () => {
    const { outbound, time, directory } = rigOf('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    const pending = time.pendingTimers;
    const later = outbound.answered?.(call, answerOf(503)) as Promise<Verdict>;
    expect(time.pendingTimers).to.equal(pending + 1);
    outbound.end(call, outcome({ aborted: true }));
    expect(time.pendingTimers).to.equal(pending);
    expect(await later).to.equal(GONE);
    const load = directory.plans[0]?.candidates('http').endpoints.map(({ inFlight: count }) => count);
    expect(load).to.deep.equal([0, 0]);
  });

  it('is hedged at another instance, once, and not when its method is not idempotent', async () => {
    const { outbound } = rigOf('10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80');
    const call = new FakeCall();
    const first = await place(outbound, call);
    const second = outbound.hedge?.(call);
    expect(second).to.not.be.oneOf([first, undefined]);
    expect(outbound.hedge?.(call)).to.equal(undefined);
    const post = new FakeCall({ method: 'POST', idempotent: false });
    await place(outbound, post);
    expect(post.hedgeAfter).to.equal(Infinity);
  });

  it('does not go back to the instance of a hedge that failed', async () => {
    const { outbound } = rigOf('10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80');
    const call = new FakeCall();
    const first = (await place(outbound, call)) as Endpoint;
    const second = outbound.hedge?.(call) as Endpoint;
    outbound.lost?.(call, second, {
      code: 'MESH_ERR_UPSTREAM_RESET',
      message: '',
      sent: true,
      reusedConnection: false,
    });
    expect(call.failedAttempts).to.equal(1);
    const third = await failAttempt(outbound, call);
    expect(third).to.not.be.oneOf([first, second]);
    expect(third).to.not.be.an.instanceof(Rejection);
  });

  it('knows which answer is worth no more than a failure', async () => {
    const { outbound } = rigOf('10.0.0.1:80');
    const call = new FakeCall();
    await place(outbound, call);
    expect([200, 500, 503].map((status) => outbound.isFailure?.(call, answerOf(status)))).to.deep.equal([
      false,
      false,
      true,
    ]);
  });

  it('is not sent when its caller has no time left, and no policy hears of it', async () => {
    let heard = 0;
    const policy = { name: 'listens', before: () => void heard++, after: () => void heard++ };
    const { outbound, directory, discovery } = handlerRig({ executor, policies: [policy] });
    discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    const call = new FakeCall({ headers: { 'x-mesher-timeout-ms': '0' } });
    expect(((await place(outbound, call)) as Rejection).code).to.equal('MESH_ERR_TIMEOUT');
    outbound.end(call, outcome({ status: 504, code: 'MESH_ERR_TIMEOUT' }));
    expect(heard).to.equal(0);
    expect(directory.plans[0]?.candidates('http').endpoints[0]?.inFlight).to.equal(0);
  });

  it('retries a TCP connection that could not be made, within the same deadline', async () => {
    const rig = handlerRig({ executor });
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80'), httpInstance('10.0.0.2:80')]);
    const call = new FakeCall({ protocol: 'tcp', idempotent: false, method: '' });
    const first = await place(rig.outbound, call);
    expect([call.deadlineAt, call.hedgeAfter]).to.deep.equal([500, Infinity]);
    const second = await failAttempt(rig.outbound, call);
    expect(second).to.not.equal(first);
    rig.time.advance(500);
    expect(await failAttempt(rig.outbound, call)).to.be.an.instanceof(Rejection);
  });
});

describe('an inbound call that waited', () => {
  it('is not given to the application when its time is over by then', async () => {
    const executor = await executorOf('isolation.Provider.timeoutInMilliseconds: 90');
    for (const [wait, code] of [
      [89, 'MESH_ERR_NO_LOCAL_PORT'],
      [90, 'MESH_ERR_TIMEOUT'],
    ] as const) {
      let letGo = (): void => {};
      const before = (): Promise<undefined> => new Promise((resolve) => (letGo = () => resolve(undefined)));
      const { inbound, time } = handlerRig({ executor, policies: [{ name: 'queue', before }] });
      const placed = place(inbound, new FakeCall({ direction: 'inbound' }));
      time.advance(wait);
      letGo();
      expect(((await placed) as Rejection).code, `after ${wait} ms`).to.equal(code);
    }
  });
});

describe('what stands in for our own refusal', () => {
  const fallback = {
    name: 'fallback',
    instead: (_call: unknown, reason: Rejection) => new DirectAnswer(reason.code, 200, `instead of ${reason.code}`),
  };

  it('is asked for wherever an outbound call ends with one', async () => {
    const rig = handlerRig({ policies: [fallback] });
    rig.discovery.publish('world', [httpInstance('10.0.0.1:80')]);
    rig.discovery.publish('empty', []);
    const refused = new FakeCall();
    await place(rig.outbound, refused);
    const late = new FakeCall({ headers: { 'x-mesher-timeout-ms': '0' } });
    const answers = [
      await place(rig.outbound, new FakeCall({ authority: '' })),
      await place(rig.outbound, new FakeCall({ authority: 'empty' })),
      await place(rig.outbound, late),
      await failAttempt(rig.outbound, refused),
      rig.outbound.instead?.(refused, new Rejection('MESH_ERR_TIMEOUT')),
    ];
    expect(answers.map((answer) => (answer as DirectAnswer).body)).to.deep.equal(
      ['NO_ROUTE', 'NO_INSTANCE', 'TIMEOUT', 'CONNECT', 'TIMEOUT'].map((code) => `instead of MESH_ERR_${code}`),
    );
  });

  it('is asked for wherever an inbound call ends with one', async () => {
    const denies = { name: 'denies', before: () => Promise.resolve(new Rejection('MESH_ERR_DENIED')) };
    const bare = handlerRig({ policies: [fallback] });
    const strict = handlerRig({ policies: [denies, fallback] });
    const inbound = (headers: Record<string, string> = {}): FakeCall => new FakeCall({ direction: 'inbound', headers });
    const answers = [
      await place(bare.inbound, inbound()),
      await place(bare.inbound, inbound({ 'x-mesher-timeout-ms': '0' })),
      await place(strict.inbound, inbound()),
      bare.inbound.instead?.(inbound(), new Rejection('MESH_ERR_TIMEOUT')),
    ];
    expect(answers.map((answer) => (answer as DirectAnswer).body)).to.deep.equal(
      ['NO_LOCAL_PORT', 'TIMEOUT', 'DENIED', 'TIMEOUT'].map((code) => `instead of MESH_ERR_${code}`),
    );
  });
});

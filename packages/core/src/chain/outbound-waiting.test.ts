import { expect } from 'chai';
import { Rejection } from '../errors.js';
import type { Destination, Invocation } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { UNKNOWN_SERVICE } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { settle } from '../testing/fake-ports.js';
import { handlerRig, inFlight, outcome, place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';

const WORLD = httpInstance('10.0.0.1:80');
const GONE = outcome({ status: 0, aborted: true });

/** A promise and the function that resolves it. */
function later<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settled) => (resolve = settled));
  return { promise, resolve };
}

describe('an outbound call that waits for the registry', () => {
  it('goes on with the first answer', async () => {
    const { outbound, discovery } = handlerRig();
    const verdict = outbound.begin(new FakeCall());
    expect(verdict).to.be.an.instanceof(Promise);
    discovery.publish('world', [WORLD]);
    expect(((await verdict) as Endpoint).key).to.equal('10.0.0.1:80');
  });

  it('has its deadline from the beginning of the wait on', async () => {
    const { outbound, discovery } = handlerRig();
    const call = new FakeCall({ headers: { 'x-mesher-timeout-ms': '100' }, startedAt: 7 });
    const verdict = outbound.begin(call);
    expect(call.deadlineAt).to.equal(107);
    discovery.publish('world', [WORLD]);
    await verdict;
    expect([call.deadlineAt, call.sent('x-mesher-timeout-ms').length]).to.deep.equal([107, 1]);
  });

  it('gets 503 after firstAnswerTimeout, and later ones get it at once', async () => {
    const { outbound, time } = handlerRig();
    const first = outbound.begin(new FakeCall());
    await time.advanceAsync(5_000);
    const rejection = (await first) as Rejection;
    expect([rejection.code, rejection.retryAfterSeconds]).to.deep.equal(['MESH_ERR_REGISTRY_UNAVAILABLE', 1]);
    expect(((await outbound.begin(new FakeCall())) as Rejection).code).to.equal('MESH_ERR_REGISTRY_UNAVAILABLE');
  });

  it('gets 503 when the chassis is closed', async () => {
    const { outbound, directory, time } = handlerRig();
    const verdict = outbound.begin(new FakeCall());
    directory.close();
    expect(((await verdict) as Rejection).code).to.equal('MESH_ERR_REGISTRY_UNAVAILABLE');
    expect(time.pendingTimers).to.equal(0);
  });

  it('leaves nothing behind when its caller goes away: no count, no hold on the service, no policy asked', async () => {
    const asked: string[] = [];
    const { outbound, discovery, metrics, directory } = handlerRig({
      policies: [{ name: 'a', before: () => void asked.push('before'), after: () => void asked.push('after') }],
    });
    const call = new FakeCall();
    const verdict = outbound.begin(call);
    expect(directory.plan('world')?.calls).to.equal(1);
    outbound.end(call, GONE);
    discovery.publish('world', [WORLD]);
    expect(await verdict).to.be.an.instanceof(Rejection);
    expect(directory.plan('world')?.calls).to.equal(0);
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ [UNKNOWN_SERVICE]: 0 });
    expect(metrics.requestsOf(metrics.slotFor('outbound', UNKNOWN_SERVICE), 0)).to.equal(1);
    expect(asked).to.deep.equal([]);
  });

  it('keeps the service that it waits for from making room for others', async () => {
    const { outbound, discovery } = handlerRig({ directory: { maxServices: 2 } });
    const waiting = outbound.begin(new FakeCall());
    for (let i = 0; i < 10; i++) {
      discovery.publishAbsent(`made-up-${i}`);
      const call = new FakeCall({ authority: `made-up-${i}` });
      expect(((await place(outbound, call)) as Rejection).code).to.equal('MESH_ERR_NO_ROUTE');
      outbound.end(call, outcome({ status: 404, code: 'MESH_ERR_NO_ROUTE' }));
    }
    discovery.publish('world', [WORLD]);
    expect(((await waiting) as Endpoint).key).to.equal('10.0.0.1:80');
  });

  it('is one of many that all go on with one answer and one timer', async () => {
    const { outbound, discovery, time } = handlerRig();
    const verdicts = Array.from({ length: 100 }, () => outbound.begin(new FakeCall()));
    await settle();
    expect(time.pendingTimers).to.equal(2);
    expect(discovery.begun('world')).to.equal(1);
    discovery.publish('world', [WORLD]);
    for (const verdict of verdicts) expect(((await verdict) as Endpoint).key).to.equal('10.0.0.1:80');
  });
});

describe('an outbound call that waits for its resolver', () => {
  it('goes on with what it found', async () => {
    const { promise, resolve } = later<Destination | undefined>();
    const { outbound, discovery } = handlerRig({ resolver: { resolve: () => promise } });
    discovery.publish('world', [WORLD]);
    const verdict = outbound.begin(new FakeCall());
    resolve({ service: 'world' });
    expect(((await verdict) as Endpoint).key).to.equal('10.0.0.1:80');
  });

  it('gets 404 when it found nothing', async () => {
    const { outbound, metrics } = handlerRig({ resolver: { resolve: () => Promise.resolve(undefined) } });
    const call = new FakeCall();
    expect(((await outbound.begin(call)) as Rejection).code).to.equal('MESH_ERR_NO_ROUTE');
    outbound.end(call, outcome({ status: 404, code: 'MESH_ERR_NO_ROUTE' }));
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ [UNKNOWN_SERVICE]: 0 });
  });

  it('passes on what it rejects with', async () => {
    const { outbound } = handlerRig({ resolver: { resolve: () => Promise.reject(new Error('no answer')) } });
    const verdict = outbound.begin(new FakeCall()) as Promise<unknown>;
    expect(await verdict.catch((error: Error) => error.message)).to.equal('no answer');
  });

  it('watches nothing for a caller that went away', async () => {
    const { promise, resolve } = later<Destination | undefined>();
    const { outbound, directory, metrics } = handlerRig({ resolver: { resolve: () => promise } });
    const call = new FakeCall();
    const verdict = outbound.begin(call);
    outbound.end(call, GONE);
    resolve({ service: 'world' });
    expect(await verdict).to.be.an.instanceof(Rejection);
    expect(directory.plans).to.deep.equal([]);
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ [UNKNOWN_SERVICE]: 0 });
  });
});

describe('an outbound call that waits for a policy', () => {
  it('ends the wait when it ends, as an inbound call does', async () => {
    const waits = {
      name: 'waits',
      before: (call: Invocation) => new Promise<void>((resolve) => (call.wake = resolve)),
    };
    const { outbound, inbound, discovery } = handlerRig({ policies: [waits] });
    discovery.publish('world', [WORLD]);
    for (const handler of [outbound, inbound]) {
      const call = new FakeCall({ direction: handler.direction });
      const verdict = handler.begin(call);
      await settle();
      handler.end(call, GONE);
      expect(await verdict).to.be.an.instanceof(Rejection);
    }
  });

  it('gets no fallback when it ended before the policy refused it', async () => {
    let asked = 0;
    const refuses = {
      name: 'refuses',
      before: (call: Invocation) =>
        new Promise<Rejection>((resolve) => (call.wake = () => resolve(new Rejection('MESH_ERR_BULKHEAD_FULL')))),
      instead: (_call: Invocation, rejection: Rejection) => (asked++, rejection),
    };
    const { outbound, inbound, discovery } = handlerRig({ policies: [refuses] });
    discovery.publish('world', [WORLD]);
    for (const handler of [outbound, inbound]) {
      const call = new FakeCall({ direction: handler.direction });
      const verdict = handler.begin(call);
      await settle();
      handler.end(call, GONE);
      expect(await verdict).to.be.an.instanceof(Rejection);
    }
    expect(asked).to.equal(0);
  });

  it('goes on when the policy lets it pass, and takes the endpoint only then', async () => {
    const { promise, resolve } = later<Rejection | undefined>();
    const { outbound, discovery } = handlerRig({ policies: [{ name: 'queue', before: () => promise }] });
    discovery.publish('world', [WORLD]);
    const verdict = outbound.begin(new FakeCall());
    await settle();
    discovery.publish('world', [httpInstance('10.0.0.2:80')]);
    await settle();
    resolve(undefined);
    expect(((await verdict) as Endpoint).key).to.equal('10.0.0.2:80');
  });

  it('is refused when the policy says so', async () => {
    const rejection = new Rejection('MESH_ERR_OVERLOADED');
    const { outbound, discovery } = handlerRig({
      policies: [{ name: 'queue', before: () => Promise.resolve(rejection) }],
    });
    discovery.publish('world', [WORLD]);
    expect(await outbound.begin(new FakeCall())).to.equal(rejection);
  });

  it('is counted while it waits, and no longer when its caller went away; what the policy took comes back', async () => {
    const { promise, resolve } = later<Rejection | undefined>();
    let taken = 0;
    const slots = {
      name: 'slots',
      before: async () => {
        const answer = await promise;
        if (answer === undefined) taken++;
        return answer;
      },
      after: () => void taken--,
    };
    const { outbound, discovery, metrics } = handlerRig({ policies: [slots] });
    discovery.publish('world', [WORLD]);
    const call = new FakeCall();
    const verdict = outbound.begin(call);
    await settle();
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ world: 1 });
    outbound.end(call, GONE);
    expect(inFlight(metrics, 'outbound')).to.deep.equal({ world: 0 });
    resolve(undefined);
    expect(await verdict).to.be.an.instanceof(Rejection);
    expect([taken, call.plan?.calls]).to.deep.equal([0, 0]);
  });
});

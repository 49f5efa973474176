import { expect } from 'chai';
import { Rejection } from '../errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import { COUNTED_CODES, type CallMetrics } from '../telemetry/call-metrics.js';
import { FakeCall } from '../testing/fake-call.js';
import { failAttempt, handlerRig, outcome, place } from '../testing/handler-rig.js';
import { httpInstance } from '../testing/instances.js';

function retries(metrics: CallMetrics, service: string): number {
  const slot = metrics.slotFor('outbound', service);
  return COUNTED_CODES.reduce((sum, _, index) => sum + metrics.retriesOf(slot, index), 0);
}

describe('an outbound attempt that failed', () => {
  const publish = (...addresses: string[]): ReturnType<typeof handlerRig> => {
    const rig = handlerRig();
    rig.discovery.publish(
      'world',
      addresses.map((address) => httpInstance(address)),
    );
    return rig;
  };

  it('to connect is repeated at another instance, for any method, and counted as a retry', async () => {
    const { outbound, metrics } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall({ method: 'POST', idempotent: false });
    const first = await place(outbound, call);
    const second = await failAttempt(outbound, call);
    expect(second).to.not.equal(first);
    expect(retries(metrics, 'world')).to.equal(1);
  });

  it('at every instance ends with the last failure and the number of attempts', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    await failAttempt(outbound, call);
    const verdict = (await failAttempt(outbound, call)) as Rejection;
    expect(verdict.code).to.equal('MESH_ERR_CONNECT');
    expect(verdict.message).to.match(/^connect ECONNREFUSED 10\.0\.0\.[12]:80 \(2 attempts\)$/);
  });

  it('at the only instance is not repeated there', async () => {
    const { outbound } = publish('10.0.0.1:80');
    const call = new FakeCall();
    await place(outbound, call);
    expect(((await failAttempt(outbound, call)) as Rejection).code).to.equal('MESH_ERR_CONNECT');
  });

  it('is not repeated beyond maxAttempts, however many instances there are', async () => {
    const addresses = Array.from({ length: 20 }, (_, i) => `10.0.0.${i + 1}:80`);
    const { outbound } = publish(...addresses);
    const call = new FakeCall();
    const seen = new Set([await place(outbound, call)]);
    seen.add(await failAttempt(outbound, call));
    seen.add(await failAttempt(outbound, call));
    expect(seen.size).to.equal(3);
    expect(((await failAttempt(outbound, call)) as Rejection).message).to.contain('(3 attempts)');
  });

  it('on a pooled connection that was dead may be repeated at the same instance, also the only one', async () => {
    const { outbound } = publish('10.0.0.1:80');
    const call = new FakeCall();
    const endpoint = await place(outbound, call);
    const reset = { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: true } as const;
    expect(await failAttempt(outbound, call, reset)).to.equal(endpoint);
  });

  it('before the first byte of an answer is repeated elsewhere if the method is idempotent, else not', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const reset = { code: 'MESH_ERR_UPSTREAM_RESET', sent: true } as const;
    const get = new FakeCall();
    const first = await place(outbound, get);
    const second = await failAttempt(outbound, get, reset);
    expect(second).to.not.equal(first);
    expect(second).to.not.be.an.instanceof(Rejection);
    const post = new FakeCall({ method: 'POST', idempotent: false });
    await place(outbound, post);
    expect(((await failAttempt(outbound, post, reset)) as Rejection).code).to.equal('MESH_ERR_UPSTREAM_RESET');
  });

  it('is not repeated when a part of the body is gone', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    call.bodyReplayable = false;
    expect(await failAttempt(outbound, call)).to.be.an.instanceof(Rejection);
  });

  it('to connect lets the endpoint rest: the next calls go elsewhere until it was reached again', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const dead = (await place(outbound, call)) as Endpoint;
    const alive = await failAttempt(outbound, call);
    for (let i = 0; i < 6; i++) expect(await place(outbound, new FakeCall())).to.equal(alive);
    outbound.connected(dead);
    const next = [await place(outbound, new FakeCall()), await place(outbound, new FakeCall())];
    expect(next).to.have.members([dead, alive]);
  });

  it('is forgotten once a call on a pooled connection of the endpoint succeeds', async () => {
    const { outbound, time } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const tired = (await place(outbound, call)) as Endpoint;
    await failAttempt(outbound, call);
    time.advance(100);
    const probe = new FakeCall();
    expect(await place(outbound, probe)).to.equal(tired);
    outbound.end(probe, outcome());
    expect([tired.connectFailures, tired.restingUntil]).to.deep.equal([0, 0]);
  });

  it('is not forgotten when the call that was let through fails or is given up', async () => {
    const { outbound, time } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    const tired = (await place(outbound, call)) as Endpoint;
    await failAttempt(outbound, call);
    for (const end of [outcome({ aborted: true }), outcome({ status: 502, code: 'MESH_ERR_CONNECT' })]) {
      time.advance(100);
      const probe = new FakeCall();
      expect(await place(outbound, probe)).to.equal(tired);
      outbound.end(probe, end);
      expect(tired.connectFailures).to.equal(1);
    }
  });

  it('goes to a resting instance if all rest: nothing better is there', async () => {
    const { outbound } = publish('10.0.0.1:80', '10.0.0.2:80');
    const call = new FakeCall();
    await place(outbound, call);
    await failAttempt(outbound, call);
    await failAttempt(outbound, call);
    const next = new FakeCall();
    const first = await place(outbound, next);
    expect(first).to.not.be.an.instanceof(Rejection);
    expect(await failAttempt(outbound, next)).to.not.be.an.instanceof(Rejection);
  });
});

import { expect } from 'chai';
import { Rejection } from '../errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import { FakeCall, type FakeCallFacts } from '../testing/fake-call.js';
import { failAttempt, handlerRig, inFlight, outcome, place, type HandlerRig } from '../testing/handler-rig.js';
import type { Policy } from './policy.js';

const REST = [{ protocol: 'rest', port: 8080 }] as const;

function inboundCall(facts: FakeCallFacts = {}): FakeCall {
  return new FakeCall({ direction: 'inbound', authority: 'orders', remoteAddress: '10.0.0.9', ...facts });
}

function rig(policies: readonly Policy[] = []): HandlerRig {
  return handlerRig({ servicePorts: REST, policies });
}

describe('an inbound call', () => {
  it('goes to the port of the local application', async () => {
    const { inbound } = rig();
    const call = inboundCall();
    expect(((await place(inbound, call)) as Endpoint).key).to.equal('127.0.0.1:8080');
    expect(call.destination).to.deep.equal({ service: 'orders' });
  });

  it('is counted for the own service, and no longer under way when it has ended', async () => {
    const { inbound, metrics } = rig();
    const call = inboundCall();
    await place(inbound, call);
    expect(inFlight(metrics, 'inbound')).to.deep.equal({ orders: 1 });
    inbound.end(call, outcome());
    expect(inFlight(metrics, 'inbound')).to.deep.equal({ orders: 0 });
    expect([call.ended, call.outcome?.status]).to.deep.equal([true, 200]);
  });

  it('is counted for its caller, known or not', async () => {
    const { inbound, metrics } = rig();
    await place(inbound, inboundCall({ source: { service: 'shop', by: 'ip' } }));
    await place(inbound, inboundCall());
    expect(Array.from(metrics.sources, ({ labels, count }) => [labels.source, labels.by, count])).to.deep.equal([
      ['shop', 'ip', 1],
      ['_unknown', 'none', 1],
    ]);
  });

  it('brings the host that the caller wrote, unless somebody has said it before', async () => {
    const { inbound } = rig();
    const call = inboundCall({ authority: 'orders:8083' });
    await place(inbound, call);
    expect(call.sent('x-forwarded-host')).to.deep.equal(['orders:8083']);
    const later = inboundCall({ headers: { 'x-forwarded-host': 'shop.example' } });
    await place(inbound, later);
    expect(later.sent('x-forwarded-host')).to.deep.equal(['shop.example']);
    const hostless = inboundCall({ authority: '' });
    await place(inbound, hostless);
    expect(hostless.sent('x-forwarded-host')).to.deep.equal([]);
  });

  it('without a local port is refused with the flag to set', async () => {
    const { inbound } = handlerRig();
    const verdict = (await place(inbound, inboundCall())) as Rejection;
    expect([verdict.code, verdict.status]).to.deep.equal(['MESH_ERR_NO_LOCAL_PORT', 502]);
    expect(verdict.hint).to.contain('--service-ports=rest:PORT');
  });

  it('that goes in circles is refused, with an id to look for', async () => {
    const { inbound } = rig();
    const first = inboundCall();
    await place(inbound, first);
    const again = first.forwarded({ direction: 'inbound' });
    expect(((await place(inbound, again)) as Rejection).code).to.equal('MESH_ERR_LOOP');
    const own = inboundCall({ headers: { 'x-mesher-hop': 'self.i1' } });
    await place(inbound, own);
    expect(own.requestId).to.be.a('string');
  });

  it('waits for a policy, and goes nowhere when its caller left meanwhile', async () => {
    let admit!: () => void;
    const waiting: Policy = { name: 'waiting', before: () => new Promise<void>((resolve) => (admit = resolve)) };
    const { inbound, metrics } = rig([waiting]);
    const call = inboundCall();
    const verdict = inbound.begin(call);
    inbound.end(call, outcome({ status: 0, aborted: true }));
    admit();
    expect(await verdict).to.be.an.instanceof(Rejection);
    expect(call.sent('x-forwarded-host')).to.deep.equal([]);
    expect(inFlight(metrics, 'inbound')).to.deep.equal({ orders: 0 });
  });

  it('is refused by a policy, at once or later', async () => {
    for (const answer of [new Rejection('MESH_ERR_DENIED'), Promise.resolve(new Rejection('MESH_ERR_DENIED'))]) {
      const { inbound } = rig([{ name: 'no', before: () => answer }]);
      expect(((await place(inbound, inboundCall())) as Rejection).code).to.equal('MESH_ERR_DENIED');
    }
  });
});

describe('an attempt at the local application that failed', () => {
  it('on a pooled connection that was dead is repeated at the same place', async () => {
    const { inbound } = rig();
    const call = inboundCall();
    const endpoint = await place(inbound, call);
    const next = await failAttempt(inbound, call, {
      code: 'MESH_ERR_UPSTREAM_RESET',
      sent: true,
      reusedConnection: true,
    });
    expect(next).to.equal(endpoint);
  });

  it('on a pooled connection is not repeated if the request may have been executed and must not be twice', async () => {
    const { inbound } = rig();
    const call = inboundCall({ method: 'POST', idempotent: false });
    await place(inbound, call);
    const verdict = await failAttempt(inbound, call, {
      code: 'MESH_ERR_UPSTREAM_RESET',
      sent: true,
      reusedConnection: true,
    });
    expect((verdict as Rejection).code).to.equal('MESH_ERR_UPSTREAM_RESET');
  });

  it('on a new connection is not repeated: there is one application', async () => {
    const { inbound } = rig();
    const call = inboundCall();
    await place(inbound, call);
    const verdict = await failAttempt(inbound, call, { code: 'MESH_ERR_UPSTREAM_RESET', sent: true });
    expect((verdict as Rejection).code).to.equal('MESH_ERR_UPSTREAM_RESET');
  });

  it('because nobody listens on IPv4 is repeated on IPv6, where the next call begins', async () => {
    const { inbound, metrics } = rig();
    const call = inboundCall({ method: 'POST', idempotent: false });
    await place(inbound, call);
    const next = (await failAttempt(inbound, call)) as Endpoint;
    expect(next.key).to.equal('[::1]:8080');
    expect(((await place(inbound, inboundCall())) as Endpoint).key).to.equal('[::1]:8080');
    expect(metrics.slotAt(0).service).to.equal('orders');
  });

  it('on both loopback addresses is explained with both, and the next call begins with IPv4 again', async () => {
    const { inbound } = rig();
    const call = inboundCall();
    await place(inbound, call);
    await failAttempt(inbound, call);
    const verdict = (await failAttempt(inbound, call)) as Rejection;
    expect(verdict.code).to.equal('MESH_ERR_CONNECT');
    expect(verdict.message).to.contain('127.0.0.1:8080 nor on [::1]:8080');
    expect(verdict.hint).to.contain('Start the application');
    expect(((await place(inbound, inboundCall())) as Endpoint).key).to.equal('127.0.0.1:8080');
  });

  it('leaves no endpoint resting: there is no other one', async () => {
    const { inbound } = rig();
    const call = inboundCall();
    const endpoint = (await place(inbound, call)) as Endpoint;
    await failAttempt(inbound, call);
    expect(endpoint.restingUntil).to.equal(0);
    inbound.connected(endpoint);
  });
});
